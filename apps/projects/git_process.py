"""Running the git program: argument lists, no hooks, no prompts, bounded in time and size, cancellable, and its words
turned into problems that a person can act on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.core.exceptions import Problem
from apps.core.masking import mask
from apps.projects.git_access import Access

SAFE_OPTIONS = [
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "credential.helper="),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "protocol.file.allow=never"),
    *("-c", "submodule.recurse=false"),
    *("-c", "fetch.recurseSubmodules=false"),
    *("-c", "gc.autoDetach=false"),
    *("-c", "safe.directory=*"),
]
LOCAL_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",
}
MAXIMUM_OUTPUT_BYTES = 16 * 2**20
_CHECK_EVERY_SECONDS = 0.1
_PROGRESS = re.compile(rb"Receiving objects:\s+\d+% \((\d+)/(\d+)\)")

# The words of git and ssh, in the order in which they are looked for, and the problem that they mean.
_MEANINGS: list[tuple[str, str]] = [
    (r"IDENTIFICATION HAS CHANGED|Host key verification failed", "projects.git_host_key_changed"),
    (r"Permission denied|Load key .* error|no mutual signature", "projects.git_key_refused"),
    (r"Authentication failed|Access denied|returned error: 40[13]|invalid credentials", "projects.git_refused"),
    (r"could not read (Username|Password)|terminal prompts disabled", "projects.git_refused"),
    (r"returned error: 30\d|unable to update url base from redirection", "projects.repository_moved"),
    (
        r"returned error: (404|410)|[Rr]epository .*not found|does not appear to be a git",
        "projects.repository_not_found",
    ),
    (r"not valid: is this a git repository|No such file or directory|does not exist", "projects.repository_not_found"),
    (r"couldn't find remote ref|[Rr]emote branch .* not found", "projects.branch_not_found"),
    (r"SSL|certificate|TLS", "projects.git_tls_failed"),
    (r"timed out|[Tt]imeout|too slow|Connection (refused|reset|closed)|Failed to connect", "projects.git_unreachable"),
    (r"Could not resolve|No route to host|unreachable|Could ?n.t connect", "projects.git_unreachable"),
    (r"No space left on device|Disk quota", "projects.git_disk_full"),
]


def run_git(
    arguments: list[str],
    *,
    access: Access | None = None,
    directory: Path | None = None,
    run: Any = None,
    timeout: float = 60,
    size_limit: Callable[[], None] | None = None,
    keep_open: int | None = None,
    context: dict[str, object] | None = None,
) -> str:
    """Runs git and returns what it printed.

    `timeout` in seconds; `size_limit` is called now and then and raises when too much has arrived; `keep_open` is the
    descriptor of a lock that a git without its worker goes on to hold. Raises Problem `projects.*`, and what
    `run.check()` raises.
    """
    # `timeout` also ends a git whose worker was killed.
    program = shutil.which("timeout")
    guard = [program, "--kill-after=5", str(int(timeout) + 5)] if program else []
    where = ["--git-dir", str(directory)] if directory else []
    command = [*guard, "git", *SAFE_OPTIONS, *(access.options if access else []), *where, *arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=os.sep,
            env=access.environment if access else LOCAL_ENVIRONMENT,
            start_new_session=True,
            pass_fds=[keep_open] if keep_open is not None else [],
        )
        try:
            files = (output.fileno(), errors.fileno())
            _wait(process, files, run=run, timeout=timeout, size_limit=size_limit, context=context or {})
        finally:
            _end(process)
        text = _read(errors)
        if process.returncode != 0:
            raise explain(text, access=access, exit_code=process.returncode, context=context or {})
        return _read(output)


def explain(words: str, *, access: Access | None, exit_code: int, context: dict[str, object]) -> Problem:
    """The problem that git's words mean."""
    secrets = access.secrets if access else []
    words = mask(words, secrets)
    host = access.remote.host if access else ""
    details = {"host": host, **context}
    for pattern, code in _MEANINGS:
        if re.search(pattern, words):
            return Problem(_refusal(code, access), **details)
    lines = [line for line in words.splitlines() if line.strip() and not line.startswith("hint:")]
    return Problem("projects.git_failed", words=(lines[-1] if lines else f"exit code {exit_code}")[:300], **details)


def _refusal(code: str, access: Access | None) -> str:
    if code != "projects.git_refused":
        return code
    return "projects.wrong_token" if access and access.secrets else "projects.repository_needs_password"


def _wait(
    process: subprocess.Popen,
    files: tuple[int, int],
    *,
    run: Any,
    timeout: float,
    size_limit: Callable[[], None] | None,
    context: dict[str, object],
) -> None:
    deadline = time.monotonic() + timeout
    ticks = 0
    while True:
        try:
            process.wait(timeout=_CHECK_EVERY_SECONDS if ticks else 0.02)
            return
        except subprocess.TimeoutExpired:
            ticks += 1
        if time.monotonic() > deadline:
            raise Problem("projects.git_timeout", seconds=int(timeout), **{"host": "", **context})
        if any(os.fstat(file).st_size > MAXIMUM_OUTPUT_BYTES for file in files):
            # A server can send words for as long as it is listened to.
            megabytes = MAXIMUM_OUTPUT_BYTES // 2**20
            raise Problem("projects.git_says_too_much", megabytes=megabytes, **{"host": "", **context})
        if run is not None:
            run.check()
        if ticks % 5 == 0:
            if size_limit is not None:
                size_limit()
            _report_progress(files[1], run)


def _report_progress(errors: int, run: Any) -> None:
    if run is None:
        return
    size = os.fstat(errors).st_size
    tail = os.pread(errors, 4096, max(0, size - 4096))
    found = _PROGRESS.findall(tail)
    if found:
        done, total = found[-1]
        run.progress(int(done), int(total), "objects")


def _end(process: subprocess.Popen) -> None:
    """Ends git and what it started; it leads a process group of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read(file: Any) -> str:
    file.seek(0)
    return file.read(MAXIMUM_OUTPUT_BYTES).decode(errors="replace")
