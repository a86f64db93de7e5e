"""What a person sees while something long runs: one line per event, with the time since the start."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_start = time.monotonic()
_lock = threading.Lock()


def say(text: str) -> None:
    """Prints one line with the elapsed time."""
    with _lock:
        minutes, seconds = divmod(time.monotonic() - _start, 60)
        print(f"[{int(minutes):2d}:{seconds:04.1f}] {text}", flush=True)


class Background:
    """Runs a function beside the rest; `wait` gives its result or raises its error."""

    def __init__(self, what: str, function: Callable[[], object]) -> None:
        self._what = what
        self._function = function
        self._error: BaseException | None = None
        self._result: object = None
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        started = time.monotonic()
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error
        else:
            say(f"{self._what}: ready after {time.monotonic() - started:.1f} s")

    def wait(self) -> object:
        """Waits for the end."""
        self._thread.join()
        if self._error:
            raise self._error
        return self._result
