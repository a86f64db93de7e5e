"""What Celery calls. Each may come twice, late, or never."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="operations.run")
def run(operation_id: str) -> None:
    """Works on an operation if it is free to be taken."""
    from apps.operations.runner import run_operation

    run_operation(operation_id)


@shared_task(name="operations.ring_expired")
def ring_expired() -> None:
    """Every 3 s: rings for operations whose worker died or whose bell was lost."""
    from apps.operations import bell

    bell.ring_expired()


@shared_task(name="operations.delete_old_lines")
def delete_old_lines() -> None:
    """Daily: log lines are kept for OPERATION_LOG_RETENTION after the end of their operation."""
    from apps.operations import services

    services.delete_old_lines()
