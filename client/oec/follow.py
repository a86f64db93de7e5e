"""Following a stream of events, taken up again where a broken connection stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import SSEError, connect_sse

from oec.connection import Connection, Refused, Unreachable

FINISHED = frozenset({"completed", "failed", "cancelled"})
# A stream tells at least every 15 seconds that it is still there.
SILENCE = httpx.Timeout(30.0, connect=10.0)
LONGEST_BREAK = 120.0  # seconds without an answer, after which we give up


@dataclass(frozen=True)
class Event:
    """`name` is `task` (the whole task), `line` (one line of a log), `problem` (of an environment's log) or `end`."""

    name: str
    data: dict[str, Any]


def events_of(connection: Connection, task_id: str) -> Iterator[Event]:
    """Every event until the task is over, each line once. Raises Refused, Unreachable."""
    return events_at(connection, f"/tasks/{task_id}/events")


def events_at(connection: Connection, path: str, **query: Any) -> Iterator[Event]:
    """Every event of a stream until its `end`, if it has one. Raises Refused, Unreachable."""
    last, failing_since = "", None
    wanted = {name: value for name, value in query.items() if value is not None}
    while True:
        try:
            for name, data, identifier in _stream(connection, path, wanted, last):
                last, failing_since = identifier or last, None
                if name == "closed":
                    raise Refused(403, {"message": f"The platform ended the stream: {data.get('error')}."})
                yield Event(name, data)
                if name == "end":
                    return
        except (httpx.HTTPError, SSEError) as error:
            # From the first failure on: a stream may have said nothing for long before, and be well.
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > LONGEST_BREAK:
                raise Unreachable(f"{connection.settings.url} cannot be reached: {error}") from error
        time.sleep(1.0)


def _stream(
    connection: Connection, path: str, query: dict[str, Any], last: str
) -> Iterator[tuple[str, dict[str, Any], str]]:
    headers = {"Last-Event-ID": last} if last else {}
    with connect_sse(connection.client, "GET", path, params=query, headers=headers, timeout=SILENCE) as source:
        if source.response.status_code >= 500 or source.response.status_code == 429:
            source.response.raise_for_status()
        if source.response.status_code >= 400:
            source.response.read()
            raise Refused(source.response.status_code, _body(source.response))
        for event in source.iter_sse():
            yield event.event, json.loads(event.data or "{}"), event.id


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
