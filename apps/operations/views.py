"""The parts of pages that follow an operation: its steps, its log, its cancel button.

A page gets announcements by websocket (consumers.py) and asks here for what is new; without a websocket it asks every
few seconds. Answers are JSON, or a piece of HTML for htmx and for `?format=html`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.core.exceptions import Conflict
from apps.core.htmx import is_partial
from apps.operations import access, services
from apps.operations.models import Level, LogLine, Operation

MOST_LINES = 1000
LONGEST_SEARCH = 200


@never_cache
@require_GET
@login_required
def lines(request: HttpRequest, operation_id: uuid.UUID) -> HttpResponse:
    """Lines after number `after`, of `level` and above, which contain `q`. `last` is the number up to which the answer
    looked, also past lines that the filter left out: ask with it next. `more`: there is more already. `step` limits
    it to one step's name; `tail` (a number) leaves out all but the last so many lines of a first answer."""
    operation = access.get_operation_or_404(request.user, operation_id)
    try:
        after, tail = (_number(request, name) for name in ("after", "tail"))
        levels = _levels(request)
    except ValueError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    if tail:
        after = max(after, operation.log_sequence - tail)
    rows = list(_filtered(operation, request, levels).filter(sequence__gt=after)[: MOST_LINES + 1])
    more = len(rows) > MOST_LINES
    rows = rows[:MOST_LINES]
    # Lines are numbered and stored in one transaction: up to the number that was read before, none can be missing.
    last = rows[-1].sequence if more else max([operation.log_sequence, after, *(row.sequence for row in rows[-1:])])
    answer = {"operation": operation, "lines": rows, "last": last, "more": more}
    if is_partial(request) or request.GET.get("format") == "html":
        return render(request, "operations/_lines.html", answer)
    return JsonResponse(
        {
            "lines": [_as_json(row) for row in rows],
            "last": last,
            "more": more,
            "status": operation.status,
            "finished": operation.is_finished,
        }
    )


@never_cache
@require_GET
@login_required
def steps(request: HttpRequest, operation_id: uuid.UUID) -> HttpResponse:
    """All steps as they are now, as HTML."""
    operation = access.get_operation_or_404(request.user, operation_id)
    return render(request, "operations/_steps.html", steps_context(request, operation))


def steps_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """What `operations/_steps.html` needs, for pages that include it."""
    rows = list(operation.steps.all())
    operation._prefetched_objects_cache = {"steps": rows}
    return {"operation": operation, "steps": rows, "may_cancel": access.may_cancel(request.user, operation)}


@require_POST
@login_required
def cancel(request: HttpRequest, operation_id: uuid.UUID) -> HttpResponse:
    """Asks it to stop. htmx gets the steps anew; a plain form is sent on to `next`, with a message if it could not."""
    operation = access.get_operation_or_404(request.user, operation_id)
    access.require_to_cancel(request.user, operation)
    problem = None
    try:
        operation = services.cancel(operation=operation, user=request.user)
    except Conflict as conflict:
        problem = conflict
    if is_partial(request):
        context = steps_context(request, operation) | {"problem": problem}
        return render(request, "operations/_steps.html", context, status=problem.http_status if problem else 200)
    if problem:
        messages.error(request, f"{problem.title} {problem.what_to_do}")
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if safe else reverse("operations:steps", args=[operation.pk]))


@never_cache
@require_GET
@login_required
def download(request: HttpRequest, operation_id: uuid.UUID) -> StreamingHttpResponse:
    """The whole log as a text file: time (UTC), level, step, text."""
    operation = access.get_operation_or_404(request.user, operation_id)
    response = StreamingHttpResponse(_as_text(operation), content_type="text/plain; charset=utf-8")
    name = f"{slugify(operation.title) or 'operation'}-{operation.pk}.log"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError(f"`{name}` must be a whole number from 0.")
    return int(text)


def _levels(request: HttpRequest) -> list[str] | None:
    """The levels from the one that was asked for upwards; None for all."""
    level = (request.GET.get("level") or "").upper()
    if not level:
        return None
    if level not in Level.values:
        raise ValueError(f"`level` must be one of {', '.join(Level.values)}.")
    return Level.values[Level.values.index(level) :]


def _filtered(operation: Operation, request: HttpRequest, levels: list[str] | None) -> Any:
    rows = LogLine.objects.filter(operation=operation).select_related("step").order_by("sequence")
    if levels is not None:
        rows = rows.filter(level__in=levels)
    if words := request.GET.get("q", "")[:LONGEST_SEARCH].replace("\x00", ""):
        rows = rows.filter(text__icontains=words)
    if step := request.GET.get("step", "").replace("\x00", ""):
        rows = rows.filter(step__name=step)
    return rows


def _as_json(line: LogLine) -> dict[str, Any]:
    return {
        "sequence": line.sequence,
        "step": line.step.name if line.step else None,
        "level": line.level,
        "text": line.text,
        "at": line.created_at.isoformat(timespec="milliseconds"),
    }


async def _as_text(operation: Operation) -> AsyncIterator[str]:
    """In pieces, because a log can be larger than what a request should hold in memory."""
    rows = LogLine.objects.filter(operation=operation).select_related("step").order_by("sequence")
    async for line in rows.aiterator(chunk_size=2000):
        step = line.step.name if line.step else "-"
        yield f"{line.created_at:%Y-%m-%d %H:%M:%S.%f} {line.level:<7} {step}: {line.text}\n"
