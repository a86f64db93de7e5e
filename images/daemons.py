"""Programs that are started here, outlive the command that started them, and are known again later."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from images.errors import ImagesError

Result = TypeVar("Result")


def program_of(pid: int) -> str | None:
    """The name of the program that runs as `pid` (its first 15 letters, as the kernel keeps it), or None.

    A zombie counts as gone.
    """
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else name


def pid_in(file: Path, program: str) -> int | None:
    """The process id in `file` if `program` runs under it.

    After a crash or a restart of the machine the number may belong to nobody or to something else: then None.
    """
    try:
        pid = int(file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return pid if program_of(pid) == program[:15] else None


def start(command: list[str], *, log: Path, answers: Callable[[], bool], seconds: float, pid_file: Path | None) -> int:
    """Starts `command` detached, output into `log`, and waits until `answers()`; returns the process id.

    `pid_file` is written here (None: the program writes its own). Raises ImagesError with the log's last
    lines when the program ends, or does not answer within `seconds` (then it is stopped).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/"
        )
    if pid_file:
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        pid_file.write_text(f"{process.pid}\n")
    deadline = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None:
            raise ImagesError(f"{command[0]} ended with status {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            _end(process)
            raise ImagesError(f"{command[0]} did not answer within {seconds:.0f} s:\n{_tail(log)}")
        time.sleep(0.05)
    return process.pid


def wait_for(ask: Callable[[], Result | None], seconds: float) -> Result:
    """Asks until the answer is not None, and returns it. Raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while (answer := ask()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)
    return answer


def stop(pid_file: Path, program: str, *, seconds: float = 30) -> bool:
    """Ends `program` if it runs under the id in `pid_file`, and waits until it is gone; says whether it ran.

    Raises ImagesError when it is still there after `seconds`.
    """
    pid = pid_in(pid_file, program)
    if pid is None:
        pid_file.unlink(missing_ok=True)
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while program_of(pid) == program[:15]:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > deadline:
            raise ImagesError(f"{program} (process {pid}) is still running {seconds:.0f} s after it was told to end.")
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
