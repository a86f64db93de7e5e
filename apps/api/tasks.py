"""What is done regularly."""

from __future__ import annotations

from celery import shared_task

from apps.api import idempotency


@shared_task(name="api.delete_old_answers")
def delete_old_answers() -> None:
    """Answers that were kept for requests with an Idempotency-Key."""
    idempotency.delete_old()
