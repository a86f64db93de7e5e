"""Signals that end or bend a step. Expected failures are `apps.core.exceptions.Problem`."""

from __future__ import annotations


class Interruption(BaseException):
    """The step must stop now. Not an Exception, so that a step's `except Exception` cannot swallow it."""


class Cancelled(Interruption):
    """A person asked to cancel."""


class LeaseLost(Interruption):
    """Another worker has the operation, or may have it: stop, and write nothing more."""


class DeadlineExceeded(Interruption):
    """The step's time is over."""


class Skipped(Interruption):
    """The step found out that it is not needed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
