"""What long work of this app needs of whoever watches it: an operation's run, or nobody."""

from __future__ import annotations

import time
from typing import Protocol

import structlog

_log = structlog.get_logger(__name__)


class Progress(Protocol):
    """The part of `operations.run.Run` that is used here."""

    def info(self, text: str) -> None:
        """A line of the log."""

    def warning(self, text: str) -> None:
        """A line that deserves attention."""

    def check(self) -> None:
        """Raises when the work should stop."""

    def sleep(self, seconds: float) -> None:
        """Waits, and raises as soon as the work should stop."""


class Quiet:
    """Nobody watches: lines go to the program's own log, nothing interrupts."""

    def info(self, text: str) -> None:
        """A line of the program's log."""
        _log.info(text)

    def warning(self, text: str) -> None:
        """A line of the program's log."""
        _log.warning(text)

    def check(self) -> None:
        """Never raises."""

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


quiet = Quiet()
