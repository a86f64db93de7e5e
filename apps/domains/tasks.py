"""What beat rings."""

from __future__ import annotations

from celery import shared_task

from apps.domains import scanning


@shared_task(name="domains.scan")
def scan() -> None:
    """Queues renewals and what else is due."""
    scanning.scan()
