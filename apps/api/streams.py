"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html

A stream looks into the database about once a second. Every look loads the key and its person anew and asks
`visible_to` again, so a right that is taken away ends what is shown within a second, and a key that is revoked ends
the stream. The looks of all streams share a few threads of the web process, and so a few database connections.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.renderers import JSONRenderer

from apps.api import keys
from apps.api.models import ApiKey
from apps.core.exceptions import Problem

_RETRY_MILLISECONDS = 2000
_open_streams: Counter[Any] = Counter()
# For the description of every stream.
LAST_EVENT = OpenApiParameter(
    "Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER, description="Where a broken stream goes on."
)
STREAM = {(200, "text/event-stream"): OpenApiResponse(OpenApiTypes.STR, "Events, until the client or the end.")}


@dataclass(frozen=True)
class Event:
    """One event. `identifier` is where a client goes on after it (`Last-Event-ID`)."""

    name: str
    data: Any
    identifier: str = ""

    def encode(self) -> str:
        """As it goes over the wire."""
        lines = [f"id: {self.identifier}"] if self.identifier else []
        return "\n".join([*lines, f"event: {self.name}", f"data: {_json(self.data)}", "", ""])


class StreamOver(Exception):
    """There is nothing more to come; `events` are the last ones."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events = list(events)
        super().__init__()


# Called in a thread with the key as it is now; returns the news since the call before.
Look = Callable[[ApiKey], list[Event]]


def number_of(text: str, otherwise: int) -> int:
    """The number that an identifier is made of; `otherwise` where it is none, or none of ours."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else otherwise


def ensure_room(key: ApiKey) -> None:
    """Raises Problem `api.too_many_streams` where the key, its person or this process has as many as are allowed."""
    limits = (settings.API_STREAMS_PER_KEY, settings.API_STREAMS_PER_PERSON, settings.API_STREAMS_PER_PROCESS)
    holders = ("This key", "This person", "This part of the platform")
    for place, limit, holder in zip(_places(key), limits, holders, strict=True):
        if _open_streams[place] >= limit:
            raise Problem("api.too_many_streams", holder=holder, count=_open_streams[place])


def _places(key: ApiKey) -> tuple[Any, ...]:
    return key.pk, key.created_by_id, "all"


def stream(
    key: ApiKey,
    look: Look,
    *,
    close: Callable[[], None] | None = None,
) -> StreamingHttpResponse:
    """The answer that goes on. A look waits for nothing but the database: what takes longer it starts elsewhere, and
    picks up later. `close` is called once the stream is over. Raises Problem `api.too_many_streams`."""
    ensure_room(key)
    response = StreamingHttpResponse(_counted(key, look, close), content_type="text/event-stream; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy before us passes each event on at once
    return response


async def _counted(key: ApiKey, look: Look, close: Callable[[], None] | None) -> AsyncIterator[str]:
    # Many may have come before the first of them began: nothing else runs between this look and the count.
    try:
        ensure_room(key)
    except Problem as problem:
        yield Event("closed", {"error": problem.code}).encode()
        return
    _open_streams.update(_places(key))
    try:
        async for text in _events(key, look):
            yield text
    finally:
        _open_streams.subtract(_places(key))
        for place in _places(key):
            if not _open_streams[place]:
                del _open_streams[place]
        if close is not None:
            await asyncio.to_thread(close)


async def _events(key: ApiKey, look: Look) -> AsyncIterator[str]:
    yield f"retry: {_RETRY_MILLISECONDS}\n\n"
    spoken = time.monotonic()
    while True:
        try:
            events = await _look(key, look)
        except StreamOver as over:
            for event in over.events:
                yield event.encode()
            return
        for event in events:
            yield event.encode()
        if events:
            spoken = time.monotonic()
        elif time.monotonic() - spoken >= settings.API_STREAM_HEARTBEAT_SECONDS:
            spoken = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(settings.API_STREAM_POLL_SECONDS)


async def _look(key: ApiKey, look: Look) -> list[Event]:
    def looked() -> list[Event]:
        try:
            return look(keys.reopen_key(key))
        except (keys.KeyRefused, Http404, PermissionDenied) as error:
            reason = getattr(error, "code", "not_allowed")
            raise StreamOver([Event("closed", {"error": reason})]) from error

    return await database_sync_to_async(looked, thread_sensitive=False)()


def _json(data: Any) -> str:
    # Rendered as everywhere else, on one line: a line end would end the field.
    return json.dumps(json.loads(JSONRenderer().render(data)), ensure_ascii=True, separators=(",", ":"))
