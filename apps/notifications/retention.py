"""What is old goes."""

from __future__ import annotations

from django.conf import settings

from apps.core import clock
from apps.notifications.models import Event

BATCH = 1000


def delete_old_events() -> int:
    """Deletes events that happened longer ago than NOTIFICATION_RETENTION, with their deliveries, mails and notices.
    Returns how many. Harmless to repeat."""
    limit, deleted = clock.now() - settings.NOTIFICATION_RETENTION, 0
    while True:
        old = list(Event.objects.filter(happened_at__lt=limit).order_by().values_list("pk", flat=True)[:BATCH])
        if not old:
            return deleted
        Event.objects.filter(pk__in=old).delete()
        deleted += len(old)
