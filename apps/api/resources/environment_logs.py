"""The log of a running environment: what Odoo wrote, and what it writes."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from django.http import StreamingHttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.log_readers import LogReaders
from apps.api.models import ApiKey
from apps.api.resources.events import LONGEST_ABSENCE
from apps.api.streams import LAST_EVENT, STREAM, Event, number_of, stream
from apps.core import clock
from apps.core.exceptions import Problem
from apps.environments import logs
from apps.environments.log_watch import watch
from apps.environments.models import Environment, Status
from apps.operations.models import Level
from apps.orgs.access import require
from apps.orgs.querysets import get_visible_or_404

PERMISSION = "project.environments.logs.view"
LARGEST_NUMBER = 10**17
AGAIN_SECONDS = 5
# What a stream reads at once, and keeps until it is sent.
LARGEST_PIECE = 2 * 2**20
_readers: LogReaders[logs.ReadLines] = LogReaders(16, per_organization=2)


class EnvironmentLineQuery(serializers.Serializer):
    """Which lines, of the last ones."""

    tail = serializers.IntegerField(
        min_value=1, max_value=logs.FIRST_LINES, default=500, help_text="How many of the last lines to begin with."
    )
    level = serializers.ChoiceField(Level.choices, required=False, help_text="This level and those above.")
    q = serializers.CharField(
        max_length=logs.LONGEST_SEARCH, required=False, help_text="Words that a line contains, in any case."
    )


class EnvironmentLogQuery(EnvironmentLineQuery):
    """Which lines: the last ones, or those after one that is known."""

    after = serializers.IntegerField(
        min_value=0,
        max_value=LARGEST_NUMBER,
        default=0,
        help_text="Lines with a higher number: `last` of the one before. `tail` does not count then.",
    )


class EnvironmentLineSerializer(serializers.Serializer):
    """One line. What the environment keeps secret is masked."""

    sequence = serializers.IntegerField(help_text="The microsecond at which it was written; no two are the same.")
    level = serializers.ChoiceField(Level.choices)
    text = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(source="time")


class EnvironmentLinesSerializer(serializers.Serializer):
    """Lines, and how the log goes on."""

    lines = EnvironmentLineSerializer(many=True)
    last = serializers.IntegerField(help_text="Ask with `after` of this next.")
    more = serializers.BooleanField(help_text="There are more already.")
    status = serializers.ChoiceField(Status.choices, help_text="Of the environment.")


def _environments() -> Any:
    return Environment.objects.existing().select_related("project__organization", "server__ssh_key")


def _wanted(query: dict[str, Any]) -> dict[str, Any]:
    return {"tail": query["tail"], "level": query.get("level", ""), "words": query.get("q", "").strip()}


class EnvironmentLogView(ApiView):
    """What Odoo wrote. 404 `environments.no_log` where there is no container."""

    @extend_schema(parameters=[EnvironmentLogQuery], responses=EnvironmentLinesSerializer)
    def get(self, request: Request, environment_id: uuid.UUID) -> Response:
        found = self.find(_environments(), PERMISSION, pk=environment_id)
        query = self.read_query(EnvironmentLogQuery)
        page = logs.read_page(found, after=query["after"], **_wanted(query))
        shown = {"lines": page.lines, "last": page.last, "more": page.more, "status": found.status}
        return self.answer(EnvironmentLinesSerializer, shown)


class EnvironmentLogStreamView(ApiView):
    """What Odoo writes, live: `line` for each line, beginning with the last ones; `problem` when something stands
    against reading it (no container, no connection): the stream goes on all the same."""

    @extend_schema(parameters=[EnvironmentLineQuery, LAST_EVENT], responses=STREAM)
    def get(self, request: Request, environment_id: uuid.UUID) -> StreamingHttpResponse:
        self.find(_environments(), PERMISSION, pk=environment_id)
        query = self.read_query(EnvironmentLineQuery)
        last = min(number_of(request.headers.get("Last-Event-ID", ""), 0), LARGEST_NUMBER)
        news = LogNews(environment_id, after=last, **_wanted(query))
        return stream(request.auth, news, close=news.close)


class LogNews:
    """What is new in one environment's log since the last look. The server is asked only when the shared watcher of the
    environment says that there is something, over the watcher's own connection, for a piece of the log at a time: its
    lines are kept until they are sent, logs.MOST_LINES at each look. The identifier is the line's number; where the one
    that was sent is older than LONGEST_ABSENCE, only the last lines are told.

    No look waits for the server: it starts the reading, and a later one, which has asked for the right again, has the
    lines."""

    def __init__(self, environment_id: uuid.UUID, *, after: int, tail: int, level: str, words: str) -> None:
        self.environment_id, self.tail = environment_id, tail
        self.filter = {"level": level, "words": words}
        # Up to where the log has been read, and what of that is not sent yet.
        self.after = after
        self._kept: deque[logs.OdooLine] = deque()
        self._reading: Future[logs.ReadLines] | None = None
        oldest = (clock.now() - LONGEST_ABSENCE).timestamp() * 1_000_000
        self._begins_with_last_lines = after < oldest
        self.problem = ""
        self.news = threading.Event()
        self._leave: Callable[[], None] | None = None
        self._watched_at = -float(AGAIN_SECONDS)
        self._again_at = math.inf
        self._is_over = False
        self._lock = threading.Lock()

    def __call__(self, key: ApiKey) -> list[Event]:
        environment = get_visible_or_404(_environments(), key.created_by, pk=self.environment_id)
        require(key.created_by, PERMISSION, environment)
        self._watch(environment)
        if time.monotonic() >= self._again_at:
            self.news.set()
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None
            try:
                self._keep(reading.result())
            except Problem as problem:
                return self._told(problem)
        if self.news.is_set() and not self._kept and self._reading is None:
            self._start_reading(environment)
        lines = [self._kept.popleft() for _ in range(min(len(self._kept), logs.MOST_LINES))]
        return [Event("line", EnvironmentLineSerializer(line).data, str(line.sequence)) for line in lines]

    def _start_reading(self, environment: Environment) -> None:
        """Where all who may read are at it, there is still news at the next look."""
        after = 0 if self._begins_with_last_lines else self.after
        read = partial(logs.read_newest, environment, after=after, tail=self.tail, largest=LARGEST_PIECE)
        self.news.clear()
        self._reading = _readers.start(environment.project.organization_id, read)
        if self._reading is None:
            self.news.set()
        else:
            self._again_at = math.inf

    def _keep(self, found: logs.ReadLines) -> None:
        lines = [line for line in found.lines if line.sequence > self.after]
        if not found.is_whole and (lines or self._begins_with_last_lines):
            self.news.set()
        # Where nothing was written yet, the first lines are the last ones too.
        self._begins_with_last_lines = not (lines or self.after)
        self.problem, self.after = "", lines[-1].sequence if lines else self.after
        self._kept.extend(logs.filtered(lines, **self.filter))

    def close(self) -> None:
        """Nobody looks any more. A look that is under way in another thread sees to it itself."""
        with self._lock:
            self._is_over, leave, self._leave = True, self._leave, None
        if leave is not None:
            leave()

    def _watch(self, environment: Environment) -> None:
        """Joins the watcher; where that cannot be (no server, no host key) the log is asked for once in a while."""
        if self._leave is not None or time.monotonic() - self._watched_at < AGAIN_SECONDS:
            return
        self._watched_at = time.monotonic()
        self.news.set()
        if environment.server is None:
            return
        try:
            leave = watch(environment, self.news.set)
        except Problem:
            return  # reading will say it
        with self._lock:
            if not self._is_over:
                self._leave = leave
                return
        leave()

    def _told(self, problem: Problem) -> list[Event]:
        """Once, until it is another one. The lines that could not be read are asked for again: where Odoo has fallen
        silent, nothing else would."""
        self._again_at = time.monotonic() + AGAIN_SECONDS
        if problem.code == self.problem:
            return []
        self.problem = problem.code
        words = f"{problem.title} {problem.what_to_do}".strip()
        return [Event("problem", {"error": problem.code, "message": words})]


_LOGS = "environments/<uuid:environment_id>/logs"
urlpatterns = [
    path(_LOGS, EnvironmentLogView.as_view(), name="environment_logs"),
    path(f"{_LOGS}/stream", EnvironmentLogStreamView.as_view(), name="environment_log_stream"),
]
