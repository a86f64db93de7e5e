"""What differs between an environment as it is set and as it runs: kept in words, until a deployment applies it."""

from __future__ import annotations

from apps.environments.models import Environment, Status
from apps.environments.signals import status_changed

LONGEST_LIST = 20


def mark_changed(environment: Environment, what: str) -> None:
    """Notes that a deployment is needed. An environment that was never deployed has nothing to apply."""
    if environment.status in (Status.PENDING, Status.DELETED):
        return
    changes = [change for change in environment.pending_changes if change != what] + [what]
    environment.pending_changes = changes[-LONGEST_LIST:]
    environment.needs_redeploy = True
    environment.save(update_fields=["pending_changes", "needs_redeploy", "updated_at"])


def mark_applied(environment: Environment) -> None:
    """Called by a deployment that went well, with what it has read of the environment at its beginning."""
    environment.pending_changes = []
    environment.needs_redeploy = False
    environment.save(update_fields=["pending_changes", "needs_redeploy", "updated_at"])


def set_status(environment: Environment, status: str, reason: str = "") -> None:
    """Stores a new status and tells the layers above. Call it inside a transaction, with the row locked or under
    the environment's lock key."""
    before = environment.status
    environment.status, environment.status_reason = status, reason[:500]
    environment.save(update_fields=["status", "status_reason", "updated_at"])
    if before != status:
        status_changed.send(Environment, environment=environment, before=before)
