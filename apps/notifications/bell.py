"""Ringing a worker. Bells may be lost or doubled: what there is to do stands in the database, and beat rings too."""

from __future__ import annotations

import logging

from django.db import transaction

logger = logging.getLogger(__name__)
# Bells that nobody heard while all workers were busy do not pile up.
EXPIRES_SECONDS = 30


def ring() -> bool:
    """Asks a worker to do what is due. False when the broker cannot be reached."""
    from apps.notifications.tasks import work

    try:
        work.apply_async(expires=EXPIRES_SECONDS, retry=False, ignore_result=True)
    except Exception as error:
        logger.warning("Could not ring for notifications: %r", error)
        return False
    return True


def ring_on_commit() -> None:
    """Rings when the transaction is committed, once for all that it holds."""
    connection = transaction.get_connection()
    if any(function is ring for _, function, *_ in connection.run_on_commit):
        return
    transaction.on_commit(ring)
