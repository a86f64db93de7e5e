"""A person's inbox: read by that person alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from apps.core import clock
from apps.notifications.models import Notice

# The bell shows "99+" beyond.
MOST_COUNTED = 100


def unread_count(user: Any) -> int:
    """How many notices the person has not read, counted up to MOST_COUNTED. One query."""
    return Notice.objects.visible_to(user).filter(read_at=None).order_by()[:MOST_COUNTED].count()


def mark_read(*, user: Any, notices: Iterable[uuid.UUID] | None = None) -> int:
    """Marks the person's notices (all of them unless named, by a query of their ids too) as read; returns how many were
    not. One query."""
    rows = Notice.objects.filter(user=user, read_at=None)
    if notices is not None:
        rows = rows.filter(pk__in=notices)
    return rows.update(read_at=clock.now(), updated_at=clock.now())


def mark_unread(*, user: Any, notice: uuid.UUID) -> int:
    """Marks one as not read again; returns 1, or 0 when it was not read or is not the person's."""
    rows = Notice.objects.filter(user=user, pk=notice, read_at__isnull=False)
    return rows.update(read_at=None, updated_at=clock.now())
