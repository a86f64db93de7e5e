"""How an operation ends. Everything here runs inside a transaction that holds the operation's row."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import transaction

from apps.core import clock
from apps.operations.announce import announce
from apps.operations.bell import ring_on_commit
from apps.operations.models import Operation, OperationStep, Status
from apps.operations.persist import is_connection_error
from apps.operations.pipeline import all_pipelines
from apps.operations.signals import operation_ended, tell

logger = logging.getLogger(__name__)
_HOOKS = {Status.COMPLETED: "on_success", Status.FAILED: "on_failure", Status.CANCELLED: "on_cancelled"}
_NOT_REACHED = {
    Status.FAILED: "Not reached: an earlier step failed.",
    Status.CANCELLED: "Not reached: the operation was cancelled.",
}


@dataclass(frozen=True)
class Failure:
    """What a failed operation and its failed step show; masked already."""

    code: str
    error: str
    hint: str
    who: str

    def fields(self) -> dict[str, str]:
        """As columns of Operation and OperationStep."""
        return {"error_code": self.code, "error": self.error, "hint": self.hint, "who": self.who}


def store_outcome(operation: Operation, outcome: str, failure: Failure | None = None) -> None:
    """Writes down how it ends, before anything is undone: whoever goes on after a crash goes on undoing."""
    operation.outcome = outcome
    for name, value in (failure.fields() if failure else {}).items():
        setattr(operation, name, value)
    operation.version += 1
    operation.save()
    waiting = operation.steps.filter(status=Status.PENDING)
    waiting.update(status=Status.CANCELLED, skipped_reason=_NOT_REACHED[outcome])


def end_step(step: OperationStep, status: str, **fields: object) -> None:
    """Gives a step its last status."""
    step.status = status
    step.finished_at = clock.now()
    for name, value in fields.items():
        setattr(step, name, value)
    # Not the whole row: the log's thread writes the progress.
    step.save(update_fields=["status", "finished_at", "updated_at", *fields])


def finish(operation: Operation) -> None:
    """Gives the operation its last status, calls the pipeline's hook, and lets the one that waits for the lock key
    take its turn (unless the hook queued a follow-up): all in the transaction of the caller."""
    operation.status = operation.outcome or Status.COMPLETED
    operation.outcome = operation.status
    operation.finished_at = clock.now()
    operation.lease_token = operation.lease_expires_at = None
    operation.version += 1
    operation.save()
    _call_hook(operation)
    tell(operation_ended, operation)
    _promote_waiting(operation.lock_key)
    transaction.on_commit(lambda: announce(operation))


def _call_hook(operation: Operation) -> None:
    pipeline = all_pipelines().get(operation.kind)
    hook = getattr(pipeline, _HOOKS[operation.status], None)
    if hook is None:
        return
    try:
        with transaction.atomic():
            hook(operation)
    except Exception as error:
        if is_connection_error(error):
            raise  # the whole transaction is tried again
        # An operation that cannot end would hold its lock key for ever.
        logger.exception("The hook of operation %s (%s) failed", operation.pk, operation.kind)
        flag(operation, "What follows the end of this operation could not be done.")


def flag(operation: Operation, reason: str) -> None:
    """Asks for a person's attention."""
    operation.needs_attention = True
    operation.attention_reason = "\n".join(filter(None, [operation.attention_reason, reason]))
    operation.save()


def _promote_waiting(lock_key: str) -> None:
    if Operation.objects.active().filter(lock_key=lock_key).exists():
        return
    waiting = Operation.objects.select_for_update(no_key=True).filter(lock_key=lock_key, status=Status.PENDING).first()
    if waiting is not None:
        waiting.status = Status.QUEUED
        waiting.queued_at = clock.now()
        waiting.version += 1
        waiting.save()
        ring_on_commit(waiting)
        transaction.on_commit(lambda: announce(waiting))
