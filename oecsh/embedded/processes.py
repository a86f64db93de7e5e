"""Starting, finding and ending our own processes. A process is known by its pid file and by what it runs: a pid file
that a killed machine left behind, or whose number another program has by now, counts as nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def free_port(preferred: int | None = None, *, every_address: bool = False) -> int:
    """A free TCP port on loopback, or on every address: `preferred` where nobody listens on it."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("0.0.0.0" if every_address else "127.0.0.1", port))  # noqa: S104
            except OSError:
                continue
            return listener.getsockname()[1]
    raise RuntimeError("There is no free port.")


def running_pid(pid_file: Path, program: str) -> int | None:
    """The pid in the file, if a process with that number runs `program`."""
    try:
        pid = int(pid_file.read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (OSError, ValueError, IndexError):
        return None
    return pid if program in command else None


def start_detached(command: list[str], *, log: Path, environment: dict[str, str] | None = None) -> subprocess.Popen:
    """Starts a process that outlives this one; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )


def stop(pid: int, *, signal_number: int = signal.SIGTERM, patience: float = 20) -> None:
    """Ends a process by its pid and waits for it; kills it after `patience` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if _has_ended(pid):
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)


def _has_ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(check, *, what: str, patience: float = 30, pause: float = 0.05) -> None:
    """Waits until `check()` is true; raises TimeoutError naming `what` after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {patience:.0f} s.")
        time.sleep(pause)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """One process at a time; the lock ends with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
