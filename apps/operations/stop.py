"""When a step must stop, and how it gets to know: it asks, it wakes from a sleep, or it is called back."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

from apps.operations.exceptions import Cancelled, DeadlineExceeded, Interruption, LeaseLost

logger = logging.getLogger(__name__)


class StopSign:
    """Shared by the thread that runs the step and the heartbeat's thread. Times are of the monotonic clock."""

    def __init__(self, lease_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._lease_ends = time.monotonic() + lease_seconds
        self._lost = False
        self._cancel_requested = False
        self._watching = False
        self._cancellable = False
        self._deadline = float("inf")
        self._due_since: float | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()

    # What the heartbeat tells.

    def lease_renewed(self, asked_at: float) -> None:
        """The lease counts from the moment when the renewal was asked for."""
        self._lease_ends = asked_at + self._lease_seconds

    def lease_lost(self) -> None:
        """Somebody else has the operation."""
        self._lost = True
        self.notice()

    def cancel_requested(self) -> None:
        """A person asked to cancel."""
        self._cancel_requested = True

    def notice(self) -> None:
        """Looks whether the step must stop; the first time that it must, wakes it and calls back."""
        if self.reason() is None:
            return
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
            if self._due_since is None:
                self._due_since = time.monotonic()
        self._wake.set()
        for callback in callbacks:
            # In threads of their own: closing a broken connection may block, and the heart must go on beating.
            threading.Thread(target=_call, args=[callback], name="stop", daemon=True).start()

    def overdue(self) -> float:
        """Seconds since the running step was told to stop; 0 when it was not, or when nothing runs."""
        due_since = self._due_since
        return time.monotonic() - due_since if self._watching and due_since is not None else 0.0

    # What the runner and the step ask.

    @contextlib.contextmanager
    def watch(self, *, timeout: float, cancellable: bool) -> Iterator[None]:
        """Sets the rules for one step (or its undo): `timeout` in seconds, and whether cancelling stops it."""
        self._deadline = time.monotonic() + timeout
        self._cancellable = cancellable
        self._due_since = None
        self._wake.clear()
        self._watching = True
        try:
            yield
        finally:
            self._watching = False
            self._deadline = float("inf")
            self._cancellable = False

    def remaining(self) -> float:
        """Seconds until the deadline of the step."""
        return self._deadline - time.monotonic()

    def reason(self) -> type[Interruption] | None:
        """Why the step must stop, the strongest reason first."""
        now = time.monotonic()
        if self._lost or now > self._lease_ends:
            return LeaseLost
        if self._cancellable and self._cancel_requested:
            return Cancelled
        if now > self._deadline:
            return DeadlineExceeded
        return None

    def check(self) -> None:
        """Raises Cancelled, LeaseLost or DeadlineExceeded when the step must stop."""
        reason = self.reason()
        if reason is not None:
            raise reason

    def sleep(self, seconds: float) -> None:
        """Sleeps, but wakes and raises as soon as the step must stop."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            self._wake.wait(max(0.0, min(left, self.remaining() + 0.01)))
            self.check()

    @contextlib.contextmanager
    def on_stop(self, callback: Callable[[], None]) -> Iterator[None]:
        """While the block lasts, `callback` is called once, from another thread, when the step must stop."""
        with self._lock:
            self._callbacks.append(callback)
        try:
            self.check()
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._callbacks.remove(callback)


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        logger.warning("A callback that stops a step failed", exc_info=True)
