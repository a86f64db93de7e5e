"""Queueing, cancelling and trying again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction

from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict
from apps.operations.announce import announce
from apps.operations.bell import ring_on_commit
from apps.operations.finishing import finish, store_outcome
from apps.operations.models import (
    ACTIVE,
    LOCK_CONSTRAINT,
    LogLine,
    LogPosition,
    Operation,
    OperationStep,
    Status,
    Trigger,
)
from apps.operations.pipeline import Pipeline, all_pipelines, get_pipeline
from apps.orgs.models import Organization
from apps.orgs.paths import project_id_of


def queue(
    *,
    kind: str,
    subject: models.Model,
    organization: Organization | None,
    lock_key: str,
    parameters: dict[str, Any] | None = None,
    created_by: Any = None,
    trigger: str = Trigger.MANUAL,
    title: str = "",
    wait: bool = False,
    retry_of: Operation | None = None,
) -> Operation:
    """Queues an operation with all its steps, and rings a worker when the caller's transaction is committed.

    One operation is active per `lock_key`. Where there is one already this raises Conflict
    `operations.task_in_progress`; with `wait` the new one stays pending until its turn, and takes the place of the
    one that waited before (the newest wins, the older is cancelled). `parameters` are stored in clear: no secrets.
    """
    operation = Operation(
        kind=kind,
        title=title or get_pipeline(kind).title,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        organization=organization,
        project_id=project_id_of(subject),
        lock_key=lock_key,
        trigger=trigger,
        parameters=parameters or {},
        created_by=created_by,
        retry_of=retry_of,
    )
    with transaction.atomic():
        _insert(operation, wait)
        _create_steps(operation, get_pipeline(kind))
        if operation.status == Status.QUEUED:
            ring_on_commit(operation)
    return operation


def _insert(operation: Operation, wait: bool) -> None:
    """Inserts as queued, or as pending behind the active one. The unique constraint decides, not a look before."""
    while True:
        operation.status, operation.queued_at = Status.QUEUED, clock.now()
        try:
            with transaction.atomic():
                operation.save(force_insert=True)
            return
        except IntegrityError as error:
            if LOCK_CONSTRAINT not in str(error):
                raise
        held = Operation.objects.select_for_update(no_key=True) if wait else Operation.objects
        active = held.filter(lock_key=operation.lock_key, status__in=ACTIVE).first()
        if active is None:
            continue  # it ended in between
        if not wait:
            raise Conflict(
                "operations.task_in_progress", title=active.title, status=active.get_status_display().lower()
            )
        # The active one cannot end while its row is held, so nobody promotes the one that is replaced here.
        _replace_waiting(operation.lock_key)
        operation.status, operation.queued_at = Status.PENDING, None
        operation.save(force_insert=True)
        return


def _replace_waiting(lock_key: str) -> None:
    waiting = Operation.objects.select_for_update(no_key=True).filter(lock_key=lock_key, status=Status.PENDING).first()
    if waiting is not None:
        waiting.error = "Replaced by a newer request."
        store_outcome(waiting, Status.CANCELLED)
        finish(waiting)


def _create_steps(operation: Operation, pipeline: Pipeline) -> None:
    OperationStep.objects.bulk_create(
        OperationStep(operation=operation, position=position, name=step.name, title=step.title)
        for position, step in enumerate(pipeline.steps, start=1)
    )


def cancel(*, operation: Operation, user: Any) -> Operation:
    """Cancels. One that no worker has begun is over at once; a running one is told, stops within a second at its
    next check, and is undone. Asking twice is harmless. Raises Conflict `operations.not_cancellable` when it is over,
    ending, past its last step's start, or of a kind that always runs to its end."""
    with transaction.atomic():
        operation = Operation.objects.select_for_update(no_key=True).get(pk=operation.pk)
        reason = _why_not_cancellable(operation)
        if reason:
            raise Conflict("operations.not_cancellable", title=operation.title, reason=reason)
        if operation.cancel_requested_at is not None:
            return operation
        operation.cancel_requested_at = clock.now()
        operation.cancelled_by = user if getattr(user, "pk", None) else None
        audit.record(
            action="operation.cancelled", actor=user, organization_id=operation.organization_id, target=operation
        )
        if operation.status == Status.RUNNING:
            operation.version += 1
            operation.save()
            transaction.on_commit(lambda: announce(operation))
        else:
            store_outcome(operation, Status.CANCELLED)
            finish(operation)
    return operation


def _why_not_cancellable(operation: Operation) -> str:
    if operation.is_finished:
        return "It is over."
    if operation.outcome:
        return "It is being undone already."
    if operation.final_started_at is not None:
        return "Its last step has begun."
    pipeline = all_pipelines().get(operation.kind)
    if pipeline is not None and not pipeline.cancellable:
        return "Half of it would be worse than all of it."
    return ""


def retry(*, operation: Operation, user: Any) -> Operation:
    """A new operation that does the same again; finished work is found in place, so it is quick. Raises Conflict
    when this one is not over, went well, or its subject is gone or busy."""
    if not operation.is_finished:
        raise Conflict("operations.not_finished", title=operation.title)
    if operation.status == Status.COMPLETED:
        raise Conflict("operations.not_retryable", title=operation.title, reason="It went well.")
    if operation.subject is None:
        raise Conflict("operations.not_retryable", title=operation.title, reason="What it was about is gone.")
    pipeline = all_pipelines().get(operation.kind)
    if pipeline is None:
        raise Conflict("operations.unknown_kind", kind=operation.kind)
    with transaction.atomic():
        audit.record(
            action="operation.retried", actor=user, organization_id=operation.organization_id, target=operation
        )
        if pipeline.retry is not None:
            return pipeline.retry(operation, user)
        return queue(
            kind=operation.kind,
            subject=operation.subject,
            organization=operation.organization,
            lock_key=operation.lock_key,
            parameters=operation.parameters,
            created_by=user,
            trigger=Trigger.RETRY,
            title=operation.title,
            retry_of=operation,
        )


def mark_as_seen(*, operation: Operation, user: Any) -> None:
    """A person has attended to it: it no longer asks for attention; the reason stays."""
    with transaction.atomic():
        operation = Operation.objects.select_for_update(no_key=True).get(pk=operation.pk)
        operation.needs_attention = False
        operation.version += 1
        operation.save(update_fields=["needs_attention", "version", "updated_at"])
        audit.record(
            action="operation.attended", actor=user, organization_id=operation.organization_id, target=operation
        )


def active_for(lock_key: str) -> Operation | None:
    """The operation that holds the lock key now, if any."""
    return Operation.objects.active().filter(lock_key=lock_key).first()


def delete_old_lines(*, older_than: timedelta | None = None, batch_size: int = 10_000) -> int:
    """Deletes the log lines of operations that ended longer ago than OPERATION_LOG_RETENTION; returns how many."""
    limit = clock.now() - (older_than or settings.OPERATION_LOG_RETENTION)
    deleted = 0
    while True:
        old = LogLine.objects.filter(operation__finished_at__lt=limit).order_by().values("pk")[:batch_size]
        count, _ = LogLine.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
        deleted += count
        if count < batch_size:
            break
    LogPosition.objects.filter(operation__finished_at__lt=limit).delete()
    return deleted
