"""Server-sent events: one task, or everything that the key may see."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import StreamingHttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from apps.api.base import ApiView
from apps.api.models import ApiKey
from apps.api.resources.environments import EnvironmentSerializer, environments
from apps.api.resources.tasks import LineSerializer, TaskSerializer, TaskSummarySerializer, lines_of
from apps.api.streams import LAST_EVENT, STREAM, Event, StreamOver, number_of, stream
from apps.api.task_access import visible_environments, visible_tasks
from apps.core import clock
from apps.operations import access
from apps.operations.models import UNFINISHED, Operation
from apps.orgs.access import require

# Transactions that were open when a moment was read may commit rows that are older: they are looked at once more.
OVERLAP = timedelta(seconds=5)
# A client that was away for longer asks the lists again.
LONGEST_ABSENCE = timedelta(hours=1)
MOST_AT_ONCE = 200


class TaskEventsView(ApiView):
    """Follows one task: `task` whenever its steps change, `line` for each line of its log, `end` when it is over."""

    @extend_schema(parameters=[LAST_EVENT], responses=STREAM)
    def get(self, request: Request, task_id: uuid.UUID) -> StreamingHttpResponse:
        access.get_operation_or_404(request.user, task_id)
        return stream(request.auth, TaskNews(task_id, request.headers.get("Last-Event-ID", "")))


class EventStreamView(ApiView):
    """Everything that the key may see: `task` and `environment` with the whole row, whenever one changes."""

    @extend_schema(parameters=[LAST_EVENT], responses=STREAM)
    def get(self, request: Request) -> StreamingHttpResponse:
        self.require("org.view")
        return stream(request.auth, OrganizationNews(request.headers.get("Last-Event-ID", "")))


class TaskNews:
    """What is new of one task since the last look. The identifier is `LINE.VERSION`."""

    def __init__(self, task_id: uuid.UUID, last: str) -> None:
        self.task_id = task_id
        line, _, version = last.partition(".")
        self.line, self.version = number_of(line, 0), number_of(version, -1)

    def __call__(self, key: ApiKey) -> list[Event]:
        operation = access.get_operation_or_404(key.created_by, self.task_id)
        found = lines_of(operation, after=self.line)
        events = [self._line(row) for row in found["lines"]]
        self.line = found["last"]
        if operation.version > self.version:
            self.version = operation.version
            events.append(self._event("task", TaskSerializer(operation).data))
        if operation.is_finished and not found["more"]:
            raise StreamOver([*events, self._event("end", {"status": operation.status})])
        return events

    def _line(self, row: Any) -> Event:
        self.line = row.sequence
        return self._event("line", LineSerializer(row).data)

    def _event(self, name: str, data: Any) -> Event:
        return Event(name, data, f"{self.line}.{self.version}")


class OrganizationNews:
    """What changed of what the key may see. The identifier is a moment in microseconds; after a break everything is
    told again that has changed since a little before it. An event is the whole row, so twice does no harm. One look
    tells `most` environments and tasks each."""

    def __init__(self, last: str, *, most: int = MOST_AT_ONCE) -> None:
        self.most = most
        now = clock.now()
        self.since = now
        moment = number_of(last, 0)
        if moment:
            self.since = max(_moment(moment, now), now - LONGEST_ABSENCE)
        # By the row's id: when it was changed last, and what was told of it.
        self.known: dict[uuid.UUID, tuple[datetime, Any]] = {}

    def __call__(self, key: ApiKey) -> list[Event]:
        require(key.created_by, "org.view", key.organization)
        now = clock.now()
        changed = Q(updated_at__gte=self.since - OVERLAP)
        recent = Q(status__in=UNFINISHED) | Q(finished_at__gte=self.since - OVERLAP)
        tasks = visible_tasks(key.created_by, key.organization).prefetch_related("steps")
        rows = visible_environments(environments(), key.created_by, key.organization)
        self.known = {pk: known for pk, known in self.known.items() if known[0] >= self.since - OVERLAP}
        lists = [self._unknown(rows.filter(changed)), self._unknown(tasks.filter(changed, recent))]
        # What is behind the end of a full list was not looked at, so nothing from there on is told yet.
        ends = [end for _, end in lists if end is not None]
        found = sorted((row for some, _ in lists for row in some), key=lambda row: row.updated_at)
        found = [row for row in found if not ends or row.updated_at <= min(ends)]
        fresh = [row for row in found if self._is_news(row)]
        reached = [min(ends)] if ends else [row.updated_at for row in fresh] or [now - OVERLAP]
        self.since = max([self.since, *reached])
        self.known |= {row.pk: (row.updated_at, self._state(row)) for row in found}
        return [self._event(row) for row in fresh]

    def _unknown(self, rows: Any) -> tuple[list[Any], datetime | None]:
        """The oldest of those which have changed since they were looked at, however many others share their moment;
        and up to when that is, if there are more."""
        moments = rows.order_by("updated_at", "pk").values_list("pk", "updated_at")
        changed = [one for one in moments if one[0] not in self.known or self.known[one[0]][0] != one[1]]
        some = changed[: self.most]
        found = list(rows.filter(pk__in=[pk for pk, _ in some])) if some else []
        return found, some[-1][1] if len(changed) > len(some) else None

    def _is_news(self, row: Any) -> bool:
        return row.pk not in self.known or self.known[row.pk][1] != self._state(row)

    @staticmethod
    def _state(row: Any) -> Any:
        # Lines of the log change a task's row too: they are the matter of the task's own stream.
        if isinstance(row, Operation):
            return row.status, row.outcome, [(step.status, step.progress_done) for step in row.steps.all()]
        return row.updated_at

    @staticmethod
    def _event(row: Any) -> Event:
        is_task = isinstance(row, Operation)
        serializer = TaskSummarySerializer if is_task else EnvironmentSerializer
        moment = int(row.updated_at.timestamp() * 1_000_000)
        return Event("task" if is_task else "environment", serializer(row).data, str(moment))


def _moment(microseconds: int, otherwise: datetime) -> datetime:
    try:
        return min(datetime.fromtimestamp(microseconds / 1_000_000, UTC), otherwise)
    except (OverflowError, ValueError, OSError):
        return otherwise


urlpatterns = [
    path("tasks/<uuid:task_id>/events", TaskEventsView.as_view(), name="task_events"),
    path("events/stream", EventStreamView.as_view(), name="event_stream"),
]
