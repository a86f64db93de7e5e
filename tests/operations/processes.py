"""Real worker and beat processes on the database of the test run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

from tests.operations.conftest import wait_for

ROOT = Path(__file__).resolve().parent.parent.parent


def is_alive(pid: int) -> bool:
    """True while the process runs (one that ended and was not collected yet does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class CeleryProcess:
    """A worker or beat, as the Procfile starts it."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.arguments = arguments
        self.log = folder / f"{'-'.join(arguments[:2]).strip('-')}.log"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.operations.worker_settings",
            "TEST_DATABASE_NAME": connection.settings_dict["NAME"],
            "RUN_DIRECTORY": str(folder),
            **environment,
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> CeleryProcess:
        command = [sys.executable, "-m", "celery", "-A", "oecsh", *self.arguments, "--loglevel", "info"]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)
        return self

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_it_says(self, word: str, seconds: float = 60) -> None:
        """Waits until its log contains the word."""
        wait_for(lambda: word in self.log.read_text() or self.process.poll() is not None, seconds)
        assert self.process.poll() is None, self.log.read_text()

    def children(self) -> list[int]:
        """The pids of the worker's own processes."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def kill(self) -> None:
        """kill -9: no time for any last words."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ends it if it runs. Nothing is lost by that: it is what these tests are about."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


def worker(folder: Path, concurrency: int, name: str = "worker", **environment: str) -> CeleryProcess:
    options = ("--hostname", f"{name}@test", "--autoscale", f"{concurrency},2", "--without-gossip", "--without-mingle")
    started = CeleryProcess(folder, "worker", *options, **environment)
    started.log = folder / f"{name}.log"
    return started


def beat(folder: Path, **environment: str) -> CeleryProcess:
    return CeleryProcess(folder, "beat", "--schedule", str(folder / "schedule"), **environment)
