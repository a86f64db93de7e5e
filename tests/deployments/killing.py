"""Killing workers at known moments.

The database itself stops a worker where a test wants it: a trigger on the steps waits for a lock that the test holds.
So a step can be caught after its work was done and before that was written down, the worst moment there is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection

from apps.operations.models import FINISHED, Operation

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = 20_250_316
_FUNCTION = """
CREATE OR REPLACE FUNCTION hold_step() RETURNS trigger AS $$
BEGIN
  PERFORM pg_advisory_lock_shared({lock});
  PERFORM pg_advisory_unlock_shared({lock});
  RETURN NEW;
END $$ LANGUAGE plpgsql;
"""
# Each step is held once: when it is begun for the first time, or when it is about to be written down as done.
_WHEN = {
    "begin": "NEW.status = 'running' AND OLD.status = 'pending'",
    "end": "OLD.status = 'running' AND NEW.status IN ('completed', 'skipped') AND NEW.interruptions = 0",
}


class Workers:
    """A line of worker processes for one operation: when one is killed, the next is there at once."""

    def __init__(self, operation: Operation, folder: Path, *, lease_seconds: int) -> None:
        self.file = folder / "pid"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.deployments.worker_settings",
            "TEST_DATABASE_NAME": connection.settings_dict["NAME"],
            "TEST_LEASE_SECONDS": str(lease_seconds),
        }
        self.log = folder / "workers.log"
        with self.log.open("wb") as output:
            command = [sys.executable, "-m", "tests.deployments.worker", str(operation.pk), str(self.file)]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        self.operation = operation
        self.killed = 0

    def kill(self) -> None:
        """kill -9 of whoever works now."""
        os.kill(int(self.file.read_text()), signal.SIGKILL)
        self.killed += 1

    def wait(self, seconds: float) -> Operation:
        """Until the operation is over."""
        deadline = time.monotonic() + seconds
        while not Operation.objects.filter(pk=self.operation.pk, status__in=FINISHED).exists():
            assert time.monotonic() < deadline, f"Not over after {seconds} s.\n{self.log.read_text()}"
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        return Operation.objects.get(pk=self.operation.pk)

    def close(self) -> None:
        """Ends the processes that are left."""
        if self.process.poll() is None:
            self.process.kill()
            if self.file.exists():
                with_pid = int(self.file.read_text())
                if _is_ours(with_pid):
                    os.kill(with_pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def held_steps(moment: str) -> Iterator[Holder]:
    """While the block lasts, every step of every operation is held once, at its `begin` or at its `end`."""
    settings = connection.settings_dict
    names = {"dbname": settings["NAME"], "user": settings["USER"], "password": settings["PASSWORD"]}
    with psycopg.connect(host=settings["HOST"], port=settings["PORT"], autocommit=True, **names) as own:
        own.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        own.execute(_FUNCTION.format(lock=LOCK))
        own.execute(
            "CREATE TRIGGER hold_step BEFORE UPDATE ON operations_operationstep FOR EACH ROW "
            f"WHEN ({_WHEN[moment]}) EXECUTE FUNCTION hold_step()"
        )
        try:
            yield Holder(own)
        finally:
            own.execute("SELECT pg_advisory_unlock_all()")
            own.execute("DROP TRIGGER hold_step ON operations_operationstep")


class Holder:
    """Looks for held workers, and lets them go."""

    def __init__(self, own: psycopg.Connection) -> None:
        self._own = own

    def wait(self, operation: Operation, seconds: float) -> int | None:
        """The database session of the worker that is held now; None when the operation ended instead."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            row = self._own.execute(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted", [LOCK]
            ).fetchone()
            if row:
                return row[0]
            if Operation.objects.filter(pk=operation.pk, status__in=FINISHED).exists():
                return None
            time.sleep(0.02)
        raise AssertionError(f"No step was held within {seconds} s.")

    def end_session(self, session: int) -> None:
        """What happens to the session of a worker that died: nothing of it is written."""
        self._own.execute("SELECT pg_terminate_backend(%s)", [session])
        while self._own.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [session]).fetchone():
            time.sleep(0.01)

    def let_go(self) -> None:
        """The held worker goes on; the next one is held again."""
        self._own.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        self._own.execute("SELECT pg_advisory_lock(%s)", [LOCK])


def _is_ours(pid: int) -> bool:
    try:
        return b"tests.deployments.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
