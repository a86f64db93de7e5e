"""Operations, their steps and their log: the truth about everything long that the platform does."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q

from apps.core.models import BaseModel
from apps.operations.choices import ACTIVE as ACTIVE
from apps.operations.choices import FINISHED as FINISHED
from apps.operations.choices import OVER as OVER
from apps.operations.choices import UNFINISHED as UNFINISHED
from apps.operations.choices import Level as Level
from apps.operations.choices import Status as Status
from apps.operations.choices import Trigger as Trigger
from apps.operations.choices import UndoStatus as UndoStatus
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet

LOCK_CONSTRAINT = "one_active_operation_per_lock_key"
WAITING_CONSTRAINT = "one_waiting_operation_per_lock_key"


class OperationQuerySet(TenantQuerySet):
    def active(self) -> OperationQuerySet:
        """Those which hold their lock key: queued or running."""
        return self.filter(status__in=ACTIVE)

    def unfinished(self) -> OperationQuerySet:
        """Those which will still do something: waiting, queued or running."""
        return self.filter(status__in=UNFINISHED)

    def about(self, subject: models.Model) -> OperationQuerySet:
        """The operations over one object."""
        return self.filter(subject_type=subject._meta.label_lower, subject_id=subject.pk)

    def with_progress(self) -> OperationQuerySet:
        """The same rows for a list: their `progress` is counted by the database, which reads no step into memory."""
        steps = OperationStep.objects.filter(operation=models.OuterRef("pk")).order_by().values("operation")
        over = models.Count("pk", filter=Q(status__in=OVER)) * 100 / models.Count("pk")
        return self.annotate(percent_over=models.Subquery(steps.annotate(percent=over).values("percent")))


class Operation(BaseModel):
    """A pipeline of named steps over one subject. Whoever holds the lease token may write; see docs/operations.md.

    `outcome` is set before anything is undone, `status` becomes the same when all is over. An operation without
    an organization is the platform's own and seen by portal admins only. One on a project's thing carries that
    project's id (no foreign key: projects are in a layer above) and is seen by who reaches the project. `parameters`
    and `data` never hold secrets.
    """

    project_path = "project_id"

    kind = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    subject_type = models.CharField(max_length=80)
    subject_id = models.UUIDField()
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="operations")
    project_id = models.UUIDField(null=True, blank=True, editable=False)
    lock_key = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    outcome = models.CharField(max_length=10, choices=Status.choices, blank=True)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.MANUAL)
    parameters = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="operations"
    )
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="retries")

    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    attempt = models.PositiveIntegerField(default=0)
    rung_at = models.DateTimeField(null=True, editable=False)

    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    final_started_at = models.DateTimeField(null=True)

    error_code = models.CharField(max_length=80, blank=True)
    error = models.TextField(blank=True)
    hint = models.TextField(blank=True)
    who = models.CharField(max_length=40, blank=True)
    needs_attention = models.BooleanField(default=False)
    attention_reason = models.TextField(blank=True)

    log_sequence = models.PositiveIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["lock_key"], condition=Q(status__in=ACTIVE), name=LOCK_CONSTRAINT),
            models.UniqueConstraint(fields=["lock_key"], condition=Q(status=Status.PENDING), name=WAITING_CONSTRAINT),
            models.CheckConstraint(
                condition=~Q(status__in=FINISHED) | Q(finished_at__isnull=False, lease_token__isnull=True),
                name="a_finished_operation_has_an_end_and_no_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-created_at"]),
            models.Index(fields=["organization", "-created_at"]),
            models.Index(fields=["lease_expires_at"], condition=Q(status__in=ACTIVE), name="operations_to_ring"),
            models.Index(fields=["finished_at"]),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_finished(self) -> bool:
        """True when nothing of it will change any more."""
        return self.status in FINISHED

    @property
    def is_ending(self) -> bool:
        """True while the outcome stands but steps are still being undone."""
        return bool(self.outcome) and not self.is_finished

    @property
    def is_cancelling(self) -> bool:
        """True from the request to cancel until the end."""
        return not self.is_finished and (self.cancel_requested_at is not None or self.outcome == Status.CANCELLED)

    @property
    def may_be_cancelled(self) -> bool:
        """True while a request to cancel would still be accepted (the service decides without a race)."""
        from apps.operations.pipeline import all_pipelines

        pipeline = all_pipelines().get(self.kind)
        return (
            not self.is_finished
            and not self.outcome
            and self.final_started_at is None
            and self.cancel_requested_at is None
            and (pipeline is None or pipeline.cancellable)
        )

    @cached_property
    def subject(self) -> Any:
        """The object that it is about; None when that is gone."""
        model = apps.get_model(self.subject_type)
        try:
            return model._base_manager.get(pk=self.subject_id)
        except ObjectDoesNotExist:
            return None

    @property
    def progress(self) -> int:
        """Percentage of steps that are over, in whole numbers; as `with_progress` counted them, or of prefetched steps,
        where there are any."""
        if self.status == Status.COMPLETED:
            return 100
        if "percent_over" in self.__dict__:
            return self.__dict__["percent_over"] or 0
        steps = self.steps.all()
        return sum(step.status in OVER for step in steps) * 100 // max(len(steps), 1)

    @property
    def seconds(self) -> float | None:
        """How long it took, or has been taking so far; None before it starts."""
        return _seconds(self.started_at, self.finished_at)


class OperationStep(BaseModel):
    """One named step. All steps of an operation exist from the moment when it is queued."""

    organization_path = "operation__organization"
    project_path = "operation__project_id"

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=80, blank=True)
    error = models.TextField(blank=True)
    last_lines = models.TextField(blank=True)
    hint = models.TextField(blank=True)
    who = models.CharField(max_length=40, blank=True)
    skipped_reason = models.CharField(max_length=300, blank=True)
    progress_done = models.BigIntegerField(null=True)
    progress_total = models.BigIntegerField(null=True)
    progress_unit = models.CharField(max_length=20, blank=True)
    undo_status = models.CharField(max_length=10, choices=UndoStatus.choices, blank=True)
    undo_error = models.TextField(blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "position"], name="one_step_per_position"),
            models.UniqueConstraint(fields=["operation", "name"], name="one_step_per_name"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def seconds(self) -> float | None:
        """How long it took, or has been taking so far; None before it starts."""
        return _seconds(self.started_at, self.finished_at)

    @property
    def progress(self) -> int | None:
        """Percentage within the step, in whole numbers; None when the step does not say."""
        if not self.progress_total or self.progress_done is None:
            return None
        return min(100, self.progress_done * 100 // self.progress_total)


class LogLine(models.Model):
    """One line, masked before it came here. There are millions: a number names it, and nothing is kept twice."""

    organization_path = "operation__organization"
    project_path = "operation__project_id"

    id = models.BigAutoField(primary_key=True)
    operation = models.ForeignKey(Operation, models.CASCADE, related_name="lines")
    step = models.ForeignKey(OperationStep, models.CASCADE, null=True, related_name="lines", db_index=False)
    sequence = models.PositiveIntegerField()
    level = models.CharField(max_length=7, choices=Level.choices, default=Level.INFO)
    text = models.TextField()
    created_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["operation", "sequence"]
        constraints = [models.UniqueConstraint(fields=["operation", "sequence"], name="one_line_per_sequence")]

    def __str__(self) -> str:
        return self.text


class LogPosition(BaseModel):
    """How far an outside log (a container's) has been taken over; written in one transaction with its lines."""

    organization_path = "operation__organization"
    project_path = "operation__project_id"

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="log_positions")
    source = models.CharField(max_length=200)
    position = models.JSONField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["operation", "source"], name="one_position_per_source")]


def _seconds(start: Any, end: Any) -> float | None:
    from apps.core import clock

    return ((end or clock.now()) - start).total_seconds() if start else None
