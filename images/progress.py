"""Progress lines of several jobs at once, each with the time since the start, and a log file per job."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from types import TracebackType

from images.paths import cache_folder

_NOISE = re.compile(r"\x1b\[[0-9;]*m|[\r\x08]")


class Progress:
    """Prints what jobs say; lines of different jobs never mix. Times are minutes and seconds since it was made."""

    def __init__(self, names: list[str]) -> None:
        self._started = time.monotonic()
        self._width = max((len(name) for name in names), default=0)
        self._lock = threading.Lock()

    def say(self, name: str, text: str) -> None:
        """Prints one line for job `name`."""
        seconds = int(time.monotonic() - self._started)
        with self._lock:
            print(f"[{seconds // 60:3d}:{seconds % 60:02d}] {name:<{self._width}}  {text}", flush=True)


class JobLog:
    """One job's log file; remembers the last line, for a sign of life and for the message after a failure."""

    def __init__(self, name: str) -> None:
        self.path: Path = cache_folder("log") / f"{re.sub(r'[^A-Za-z0-9.]+', '-', name)}.log"
        self.last_line = ""
        self._file = self.path.open("w")

    def __enter__(self) -> JobLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, text: str) -> None:
        """Adds one line (or several); colours and line feeds of terminals are taken out."""
        text = _NOISE.sub("", text).rstrip()
        if text:
            self.last_line = text.splitlines()[-1].strip()
            self._file.write(text + "\n")
            self._file.flush()

    def tail(self, count: int = 15) -> str:
        """The last `count` lines."""
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-count:])
