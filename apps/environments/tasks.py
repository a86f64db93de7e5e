"""What the clock asks for."""

from __future__ import annotations

from celery import shared_task

from apps.environments import actions, usage


@shared_task(name="environments.purge_expired")
def purge_expired() -> int:
    """Purges destroyed environments whose grace period is over; harmless to repeat."""
    return actions.purge_expired()


@shared_task(name="environments.sample_usage")
def sample_usage() -> int:
    """Writes down what is allocated in this hour, and forgets what is old; harmless to repeat."""
    usage.thin_out()
    return usage.take_samples()
