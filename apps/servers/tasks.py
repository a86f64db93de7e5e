"""What Celery calls."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="servers.check_due")
def check_due() -> int:
    """Each minute: checks the servers that are due."""
    from apps.servers import checks

    return checks.check_due()
