"""One at a time, over all workers: locks of the database that vanish with the process that holds them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

from django.db import Error, connection

from apps.domains.progress import Progress, quiet

SECONDS_BETWEEN_TRIES = 0.2


@contextlib.contextmanager
def locked(name: str, *, run: Progress = quiet) -> Iterator[None]:
    """Waits for its turn, asking `run` whether to go on, and holds the lock for the block.

    It belongs to the database session (pg_advisory_lock), so a worker that is killed leaves nothing behind.
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """
    key = int.from_bytes(hashlib.sha256(f"oecsh.domains:{name}".encode()).digest()[:8], signed=True)
    told = False
    while not _try(key):
        if not told:
            run.info("Waiting: somebody else is doing the same right now.")
            told = True
        run.check()
        run.sleep(SECONDS_BETWEEN_TRIES)
    try:
        yield
    finally:
        _release(key)


def _release(key: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
    except Error:
        # The lock belongs to the session. A broken one has given it back already; one whose transaction has failed
        # takes no statement any more, and is ended, or nobody would get the lock for as long as this worker lives.
        connection.close()


def _try(key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        return cursor.fetchone()[0]
