"""Ringing a worker. The bell may be lost or doubled: what there is to do stands in the database."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.operations.models import Operation, Status

logger = logging.getLogger(__name__)
RING_AGAIN_SECONDS = 10
# Bells that nobody heard while all workers were busy do not pile up.
BELL_EXPIRES_SECONDS = 30


def ring(operation_id: uuid.UUID) -> bool:
    """Asks a worker to look at the operation. False when the broker cannot be reached: the scan rings again."""
    from apps.operations.tasks import run

    try:
        run.apply_async(args=[str(operation_id)], expires=BELL_EXPIRES_SECONDS, retry=False, ignore_result=True)
    except Exception as error:
        logger.warning("Could not ring for operation %s: %r", operation_id, error)
        return False
    return True


def ring_on_commit(operation: Operation) -> None:
    """Rings when the transaction is committed, and notes it so that the scan does not do it too."""
    Operation.objects.filter(pk=operation.pk).update(rung_at=Now())
    transaction.on_commit(lambda: _ring_or_forget(operation.pk))


def _ring_or_forget(operation_id: uuid.UUID) -> None:
    if not ring(operation_id):
        Operation.objects.filter(pk=operation_id).update(rung_at=None)


def ring_expired() -> int:
    """Rings for every operation that waits for a worker: its lease is over, or its bell was lost. Returns how many."""
    waits = Q(status=Status.QUEUED) | Q(status=Status.RUNNING, lease_expires_at__lt=Now())
    silent = Q(rung_at__isnull=True) | Q(rung_at__lt=Now() - timedelta(seconds=RING_AGAIN_SECONDS))
    with transaction.atomic():
        found = Operation.objects.select_for_update(skip_locked=True, no_key=True).filter(waits, silent)
        ids = list(found.values_list("pk", flat=True)[:500])
        Operation.objects.filter(pk__in=ids).update(rung_at=Now())
    for operation_id in ids:
        _ring_or_forget(operation_id)
    return len(ids)
