"""The lease on a row that leaves the platform: who may send it, and how many may be under way."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from apps.core import clock
from apps.notifications.models import Delivery, DeliveryAttempt, Mail, OutboxStatus
from apps.notifications.models.outbox import OutboxRow

# Longer than any attempt takes: nine seconds to connect, ten for the head of the answer, three for its body, and the
# time to look the name up; longer than the task may run at all.
LEASE = timedelta(seconds=90)
DELIVERY_PAUSES = [timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21_600, 43_200)]
MAIL_PAUSES = [timedelta(seconds=seconds) for seconds in (60, 300, 1800, 7200, 21_600)]
_ADVISORY_KEY = 7_262_419_001


def claim_delivery() -> Delivery | None:
    """The oldest delivery that is due and free, ours from now on, with its attempt begun. None: nothing to do, or
    enough is under way (on the platform, or of each organization that waits)."""
    with transaction.atomic():
        now = clock.now()
        under_way = _under_way(now)
        if under_way.total() >= settings.NOTIFICATION_SENDERS:
            return None
        called = Delivery.objects.filter(lease_expires_at__gt=now).values("webhook_id")
        resting = Q(webhook__resting_until__isnull=False, webhook__resting_until__gt=now)
        rows = _due(Delivery.objects.filter(webhook__paused_at=None), now).exclude(resting)
        rows = rows.exclude(webhook_id__in=called).exclude(webhook__organization_id__in=_at_their_share(under_way))
        row = rows.select_related("webhook__organization", "event__actor").first()
        if row is None:
            return None
        _take(row, now)
        DeliveryAttempt.objects.create(delivery=row, number=row.attempt_count, started_at=now)
    return row


def claim_mail() -> Mail | None:
    """The same for a mail."""
    with transaction.atomic():
        now = clock.now()
        under_way = _under_way(now)
        if under_way.total() >= settings.NOTIFICATION_SENDERS:
            return None
        rows = _due(Mail.objects.exclude(event__organization_id__in=_at_their_share(under_way)), now)
        row = rows.select_related("user", "event__organization", "event__project").first()
        if row is not None:
            _take(row, now)
    return row


def release(row: OutboxRow) -> None:
    """Ends the lease; the caller saves."""
    row.lease_token = row.lease_expires_at = None


def give_up_or_wait(row: OutboxRow, pauses: list[timedelta], error: str, now: datetime, factor: float = 1) -> None:
    """After a failed attempt: the next time, or the end when all were used. The caller saves."""
    row.error = error[:500]
    if row.tries > len(pauses):
        row.status, row.finished_at = OutboxStatus.FAILED, now
    else:
        row.next_attempt_at = now + pauses[row.tries - 1] * factor


def _under_way(now: datetime) -> Counter[uuid.UUID]:
    """How many leases each organization holds."""
    # Claims go one after the other, so that the number holds; they take milliseconds.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_KEY])
    held = Q(lease_expires_at__gt=now)
    deliveries = Delivery.objects.filter(held).order_by().values_list("webhook__organization_id", flat=True)
    mails = Mail.objects.filter(held).order_by().values_list("event__organization_id", flat=True)
    return Counter(deliveries) + Counter(mails)


def _at_their_share(under_way: Counter[uuid.UUID]) -> list[uuid.UUID]:
    """The organizations that hold half of the senders: the slow receivers of one do not keep the others waiting."""
    share = max(1, settings.NOTIFICATION_SENDERS // 2)
    return [organization for organization, held in under_way.items() if held >= share]


def _due(rows: QuerySet, now: datetime) -> QuerySet:
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    due = rows.filter(free, status=OutboxStatus.PENDING, next_attempt_at__lte=now)
    locked = due.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return locked.order_by("next_attempt_at", "created_at")


def _take(row: OutboxRow, now: datetime) -> None:
    row.lease_token, row.lease_expires_at = uuid.uuid4(), now + LEASE
    row.attempt_count += 1
    row.tries += 1
    row.save(update_fields=["lease_token", "lease_expires_at", "attempt_count", "tries", "updated_at"])
