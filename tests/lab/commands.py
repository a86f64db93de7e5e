"""Running programs: argument lists only, and an error that says what the program said."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Words = list[str | Path]
"""A command: the program and its arguments."""


class LabError(RuntimeError):
    """The lab could not do what it was asked; the text says which command failed and what it printed."""


def execute(
    arguments: Sequence[str | Path],
    *,
    check: bool = True,
    timeout: float = 120,
    stdin: str | None = None,
    environment: dict[str, str] | None = None,
    directory: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it printed. Raises `LabError` when it fails (with `check`) or takes too long."""
    words = [str(word) for word in arguments]
    try:
        result = subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=timeout, env=environment, cwd=directory,
            stdin=subprocess.DEVNULL if stdin is None else None, check=False, errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LabError(f"{words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(words)} took more than {timeout} seconds") from error
    if check and result.returncode != 0:
        said = (result.stderr.strip() or result.stdout.strip())[-2000:]
        raise LabError(f"{' '.join(words)} ended with {result.returncode}: {said}")
    return result


def wait_until(condition: Callable[[], bool], *, timeout: float, what: str, interval: float = 0.05) -> None:
    """Return as soon as `condition()` is true; raises `LabError` naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not so after {timeout} seconds")
        time.sleep(interval)


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file for the length of the block; a dead holder's lock is free by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
