"""Long-running programs of the lab: started detached, found again by pid *and* start time, ended by that pid alone.

A pid file by itself lies after a crash or a reboot: the number may belong to somebody else by then. The mark kept here
holds the boot id and the start time of the process too (`/proc/PID/stat`, field 22), so a stale mark is seen as stale.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.commands import LabError


@dataclass(frozen=True)
class ProcessMark:
    """Identifies one process for as long as the machine exists."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> ProcessMark | None:
        """The mark of a living process; None when there is none (a zombie counts as none)."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        if fields[0] in "ZX":
            return None
        return cls(pid=pid, started=int(fields[19]), boot=_boot_id())

    @property
    def is_alive(self) -> bool:
        return ProcessMark.of(self.pid) == self


class Daemon:
    """One named program in one folder: `NAME.process` marks it, `NAME.log` has its output."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.log = directory / f"{name}.log"
        self._mark_file = directory / f"{name}.process"

    @property
    def mark(self) -> ProcessMark | None:
        """The process that runs now, or None. An unreadable or stale mark is None."""
        try:
            mark = ProcessMark(**json.loads(self._mark_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return mark if mark.is_alive else None

    @property
    def pid(self) -> int:
        """Pid of the running program; raises `LabError` with the end of its log when it does not run."""
        mark = self.mark
        if mark is None:
            raise LabError(f"{self.name} is not running; its log ends with:\n{self.log_tail()}")
        return mark.pid

    def start(
        self,
        arguments: Sequence[str | Path],
        *,
        environment: dict[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Start the program in a session of its own, after ending the one that this mark still names."""
        self.stop()
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(word) for word in arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(environment or {})}, cwd=directory, start_new_session=True,
            )  # fmt: skip
        mark = ProcessMark.of(process.pid)
        if mark is None:
            raise LabError(f"{self.name} ended at once:\n{self.log_tail()}")
        aside = self._mark_file.with_suffix(".new")
        aside.write_text(json.dumps(asdict(mark)))
        aside.replace(self._mark_file)
        process.returncode = 0  # it outlives this session on purpose: no warning when the object goes away

    def stop(self, *, grace: float = 5) -> None:
        """End the program: asked first, forced after `grace` seconds. Harmless when it does not run."""
        mark = self.mark
        if mark is not None:
            _end(mark, grace)
        self._mark_file.unlink(missing_ok=True)

    def log_tail(self, characters: int = 2000) -> str:
        """The end of what the program printed."""
        try:
            return self.log.read_text(errors="replace")[-characters:]
        except FileNotFoundError:
            return "(no log)"


def command_name(pid: int) -> str:
    """Name of a process's program as the kernel keeps it (15 characters); empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _end(mark: ProcessMark, grace: float) -> None:
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        if patience <= 0:
            continue
        with contextlib.suppress(ProcessLookupError):
            os.kill(mark.pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not mark.is_alive:
                return
            time.sleep(0.02)
    raise LabError(f"process {mark.pid} could not be ended")


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
