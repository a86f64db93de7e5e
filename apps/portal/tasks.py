"""What the clock asks for."""

from __future__ import annotations

from celery import shared_task

from apps.portal import closing


@shared_task(name="portal.delete_organizations")
def delete_organizations() -> int:
    """Deletes the organizations whose grace period is over; harmless to repeat."""
    return closing.delete_expired()
