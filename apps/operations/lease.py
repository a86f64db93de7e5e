"""The lease: who may work on an operation, and the fence in front of everything that a worker writes.

Leases are measured by the clock of the database, the only one that all workers share.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.functions import Now

from apps.operations.exceptions import LeaseLost
from apps.operations.models import Operation, Status

# A worker that dies or freezes inside a fenced transaction must not hold the row: the database ends its session.
_LONGEST_SILENCE_IN_TRANSACTION = "8000"  # milliseconds


@dataclass(frozen=True)
class Lease:
    """The right to write one operation, as long as the row carries the token."""

    operation_id: uuid.UUID
    token: uuid.UUID


def _lease_end() -> Now:
    return Now() + timedelta(seconds=settings.OPERATION_LEASE_SECONDS)


def claim(operation_id: uuid.UUID | str) -> Lease | None:
    """Takes a queued operation, or a running one whose lease is over, by one compare-and-set UPDATE. None: there is
    nothing to take (a duplicate bell, another worker was faster, it is over)."""
    token = uuid.uuid4()
    free = Q(status=Status.QUEUED) | Q(status=Status.RUNNING, lease_expires_at__lt=Now())
    taken = Operation.objects.filter(free, pk=operation_id).update(
        status=Status.RUNNING,
        lease_token=token,
        lease_expires_at=_lease_end(),
        attempt=F("attempt") + 1,
        started_at=Case(When(started_at__isnull=True, then=Now()), default=F("started_at")),
        rung_at=None,
        updated_at=Now(),
    )
    return Lease(uuid.UUID(str(operation_id)), token) if taken else None


def renew(lease: Lease) -> bool:
    """Prolongs the lease; False when it is no longer ours."""
    held = Operation.objects.filter(pk=lease.operation_id, lease_token=lease.token)
    return bool(held.update(lease_expires_at=_lease_end()))


def release(lease: Lease) -> None:
    """Ends the lease of an operation that is not over, so that another worker need not wait for its end."""
    held = Operation.objects.filter(pk=lease.operation_id, lease_token=lease.token)
    held.update(lease_expires_at=Now(), lease_token=None, rung_at=None)


@contextlib.contextmanager
def fenced(lease: Lease) -> Iterator[Operation]:
    """A transaction that holds the operation's row, which it yields. Nobody can claim the operation before it ends.
    Raises LeaseLost when the lease is no longer ours; then nothing was written."""
    guard = Func(
        Value("idle_in_transaction_session_timeout"),
        Value(_LONGEST_SILENCE_IN_TRANSACTION),
        Value(True),  # for this transaction only
        function="set_config",
        output_field=models.TextField(),
    )
    with transaction.atomic():
        rows = Operation.objects.select_for_update(no_key=True).annotate(guard=guard)
        operation = rows.filter(pk=lease.operation_id, lease_token=lease.token).first()
        if operation is None:
            raise LeaseLost
        yield operation
