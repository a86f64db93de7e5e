"""What the clock asks for."""

from __future__ import annotations

from celery import shared_task

from apps.orgs import support_mails, view_as
from apps.platform import audit_retention


@shared_task(name="platform.support_tick")
def support_tick() -> int:
    """Tells Owners of support access, and ends views whose time is over; harmless to repeat."""
    return support_mails.tell_owners() + view_as.end_overdue()


@shared_task(name="platform.delete_expired_events")
def delete_expired_events() -> int:
    """Deletes what every organization keeps no longer in its audit trail; harmless to repeat."""
    return audit_retention.delete_expired_events()
