"""The trail as a file for a spreadsheet, sent while it is read."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from apps.audit.models import Event

CHUNK = 500
COLUMNS = (
    "time",
    "action",
    "person",
    "person_id",
    "viewed_by",
    "api_key",
    "address",
    "object_type",
    "object",
    "object_id",
    "organization_id",
    "before",
    "after",
)
# What spreadsheets read as the beginning of a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_response(request: HttpRequest, events: QuerySet[Event], *, name: str) -> StreamingHttpResponse:
    """Streams the events as CSV (UTF-8, times in UTC); the memory that it takes does not grow with them."""
    lines = csv_lines(events)
    body = _pulled(lines) if isinstance(request, ASGIRequest) else lines
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def csv_lines(events: QuerySet[Event]) -> Iterator[str]:
    """The lines of the file, the head first."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for event in events.iterator(chunk_size=CHUNK):
        yield writer.writerow([plain_cell(value) for value in _values(event)])


def plain_cell(value: Any) -> str:
    """The text of a cell: what a spreadsheet would take for a formula begins with an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _values(event: Event) -> Iterable[Any]:
    return (
        event.created_at.isoformat(),
        event.action,
        event.actor_name,
        event.actor_id,
        event.viewer_name,
        event.key_name,
        event.ip_address,
        event.target_type,
        event.target_name,
        event.target_id,
        event.organization_id,
        json.dumps(event.before, ensure_ascii=False) if event.before else "",
        json.dumps(event.after, ensure_ascii=False) if event.after else "",
    )


async def _pulled(lines: Iterator[str]) -> AsyncIterator[str]:
    """The same lines for an asynchronous server, which would else collect them all before it sends the first."""
    while chunk := await sync_to_async(lambda: "".join(islice(lines, CHUNK)))():
        yield chunk


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line
