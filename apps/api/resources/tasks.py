"""Tasks: everything long that the platform does, with its steps and its log."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, ListQuery, StartedTask, VisibleField, accepted
from apps.api.schema import page_of
from apps.api.task_access import visible_tasks
from apps.environments.models import Environment
from apps.operations import access, services
from apps.operations.models import Level, LogLine, Operation, OperationStep, Status

ENVIRONMENT = "environments.environment"
MOST_LINES = 1000
# What lists do not show, and is larger than the rest.
UNSHOWN = ("parameters", "data", "attention_reason")


class TaskStepSerializer(serializers.ModelSerializer):
    """One step."""

    duration = serializers.FloatField(source="seconds", allow_null=True, help_text="Seconds, so far or altogether.")
    progress = serializers.IntegerField(allow_null=True, help_text="Percent within the step, where it is known.")

    class Meta:
        model = OperationStep
        fields = (
            "name",
            "title",
            "status",
            "started_at",
            "finished_at",
            "duration",
            "progress",
            "error",
            "hint",
            "skipped_reason",
        )
        extra_kwargs = {"started_at": {"allow_null": True}, "finished_at": {"allow_null": True}}
        read_only_fields = fields


class TaskSummarySerializer(serializers.ModelSerializer):
    """A task as lists show it."""

    task_id = serializers.UUIDField(source="pk")
    environment_id = serializers.SerializerMethodField()
    project_id = serializers.UUIDField(allow_null=True, default=None)
    created_by = serializers.SerializerMethodField()
    duration = serializers.FloatField(source="seconds", allow_null=True, help_text="Seconds, so far or altogether.")
    is_cancelling = serializers.BooleanField()
    error = serializers.SerializerMethodField()

    progress = serializers.IntegerField(help_text="Percent of the steps that are over.")

    class Meta:
        model = Operation
        fields = (
            "task_id",
            "kind",
            "title",
            "status",
            "progress",
            "environment_id",
            "project_id",
            "subject_type",
            "subject_id",
            "trigger",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
            "duration",
            "is_cancelling",
            "error",
            "error_code",
            "hint",
        )
        read_only_fields = fields

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_environment_id(self, operation: Operation) -> str | None:
        return str(operation.subject_id) if operation.subject_type == ENVIRONMENT else None

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_created_by(self, operation: Operation) -> str | None:
        return str(operation.created_by_id) if operation.created_by_id else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_error(self, operation: Operation) -> str | None:
        return operation.error or None


class TaskSerializer(TaskSummarySerializer):
    """A task with all its steps, which are there from the moment when it is queued."""

    steps = TaskStepSerializer(many=True)

    class Meta(TaskSummarySerializer.Meta):
        fields = (*TaskSummarySerializer.Meta.fields, "steps")
        read_only_fields = fields


class TaskQuery(ListQuery):
    """Which tasks."""

    status = serializers.ChoiceField(Status.choices[:-1], required=False)
    kind = serializers.CharField(max_length=80, required=False, help_text="For example `environment.deploy`.")
    environment_id = VisibleField(Environment, required=False)


class LineQuery(serializers.Serializer):
    """Which lines of the log."""

    after = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        default=0,
        help_text="Lines with a higher number: `last` of the one before.",
    )
    level = serializers.ChoiceField(Level.choices, required=False, help_text="This level and those above.")
    step = serializers.CharField(max_length=80, required=False, help_text="The name of one step.")


class LineSerializer(serializers.ModelSerializer):
    """One line of the log; secrets were masked before it was stored."""

    step = serializers.CharField(source="step.name", allow_null=True, default=None)
    at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = LogLine
        fields = ("sequence", "step", "level", "text", "at")
        read_only_fields = fields


class LinesSerializer(serializers.Serializer):
    """Lines, and how the log goes on."""

    lines = LineSerializer(many=True)
    last = serializers.IntegerField(help_text="Ask with `after` of this next.")
    more = serializers.BooleanField(help_text="There are more already.")
    status = serializers.ChoiceField(Status.choices)
    finished = serializers.BooleanField()


class TaskListView(ApiView):
    """The tasks that the key may see, the newest first."""

    @extend_schema(parameters=[TaskQuery], responses=page_of(TaskSummarySerializer))
    def get(self, request: Request) -> Response:
        self.require("org.view")
        query = self.read_query(TaskQuery)
        rows = visible_tasks(request.user, self.organization).with_progress().defer(*UNSHOWN)
        rows = rows.order_by("-created_at", "-pk")
        for name in ("status", "kind"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        if "environment_id" in query:
            rows = rows.about(query["environment_id"])
        return self.page(rows, TaskSummarySerializer, query)


class TaskView(ApiView):
    """One task."""

    @extend_schema(responses=TaskSerializer)
    def get(self, request: Request, task_id: uuid.UUID) -> Response:
        return self.answer(TaskSerializer, access.get_operation_or_404(request.user, task_id))


class TaskLogView(ApiView):
    """The log of a task."""

    @extend_schema(parameters=[LineQuery], responses=LinesSerializer)
    def get(self, request: Request, task_id: uuid.UUID) -> Response:
        operation = access.get_operation_or_404(request.user, task_id)
        return self.answer(LinesSerializer, lines_of(operation, **self.read_query(LineQuery)))


class TaskCancelView(ApiView):
    """Asks a task to stop. What it did is undone; the task ends as `cancelled`."""

    @extend_schema(request=None, responses={202: StartedTask})
    def post(self, request: Request, task_id: uuid.UUID) -> Response:
        operation = access.get_operation_or_404(request.user, task_id)
        access.require_to_cancel(request.user, operation)
        return accepted(services.cancel(operation=operation, user=request.user))


class TaskRetryView(ApiView):
    """Does again what a failed or cancelled task did, as a new task."""

    @extend_schema(request=None, responses={202: StartedTask})
    def post(self, request: Request, task_id: uuid.UUID) -> Response:
        operation = access.get_operation_or_404(request.user, task_id)
        access.require_to_retry(request.user, operation)
        return accepted(services.retry(operation=operation, user=request.user))


def lines_of(operation: Operation, *, after: int = 0, level: str = "", step: str = "") -> dict[str, Any]:
    """What LinesSerializer shows. Lines are numbered and stored in one transaction: up to the number that was read
    before them, none can be missing."""
    rows = LogLine.objects.filter(operation=operation, sequence__gt=after).select_related("step").order_by("sequence")
    if level:
        rows = rows.filter(level__in=Level.values[Level.values.index(level) :])
    if step:
        rows = rows.filter(step__name=step)
    found = list(rows[: MOST_LINES + 1])
    more, found = len(found) > MOST_LINES, found[:MOST_LINES]
    last = found[-1].sequence if more else max([operation.log_sequence, after, *(row.sequence for row in found[-1:])])
    return {
        "lines": found,
        "last": last,
        "more": more,
        "status": operation.status,
        "finished": operation.is_finished,
    }


urlpatterns = [
    path("tasks", TaskListView.as_view(), name="tasks"),
    path("tasks/<uuid:task_id>", TaskView.as_view(), name="task"),
    path("tasks/<uuid:task_id>/logs", TaskLogView.as_view(), name="task_logs"),
    path("tasks/<uuid:task_id>/cancel", TaskCancelView.as_view(), name="task_cancel"),
    path("tasks/<uuid:task_id>/retry", TaskRetryView.as_view(), name="task_retry"),
]
