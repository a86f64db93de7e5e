"""What the clock asks for."""

from __future__ import annotations

from celery import shared_task

from apps.environments import actions


@shared_task(name="environments.purge_expired")
def purge_expired() -> int:
    """Purges destroyed environments whose grace period is over; harmless to repeat."""
    return actions.purge_expired()
