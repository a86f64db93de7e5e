"""What Celery calls. Each may come twice, late, or never."""

from __future__ import annotations

from celery import shared_task

# More than the work takes (30 s, and the delivery and the mail that began before), less than a lease.
SECONDS_OF_WORK = 75


@shared_task(name="notifications.work", soft_time_limit=SECONDS_OF_WORK)
def work() -> None:
    """Dispatches events and sends what is due; harmless to repeat, and in several workers at once."""
    from apps.notifications.working import work_through

    work_through()


@shared_task(name="notifications.delete_old")
def delete_old() -> None:
    """Daily: events and all that became of them are kept for NOTIFICATION_RETENTION."""
    from apps.notifications.retention import delete_old_events

    delete_old_events()
