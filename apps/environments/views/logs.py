"""The log of a running environment: the page, its lines, and a file."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.core.exceptions import Problem
from apps.environments import logs as odoo_logs
from apps.environments.views.shared import address, frame, get_environment
from apps.orgs.access import require

PERMISSION = "project.environments.logs.view"
DOWNLOAD_LINES = 50_000


@require_GET
@login_required
def logs(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """What Odoo writes, live."""
    found = get_environment(request, organization, project, environment)
    require(request.user, PERMISSION, found)
    context = frame(request, found) | {
        "lines_url": address(found, "log_lines"),
        "download_url": address(found, "log_download"),
        "socket_url": f"/ws/environments/{found.pk}/log/",
        "was_deployed": found.server_id is not None and found.status != "pending",
    }
    return render(request, "environments/logs.html", context)


@never_cache
@require_GET
@login_required
def log_lines(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """Lines after number `after`, of `level` and above, which contain `q`; a first answer has the last ones (`tail`).
    What stands against it (no container, no connection) comes as `problem`, so that the page goes on asking."""
    found = get_environment(request, organization, project, environment)
    require(request.user, PERMISSION, found)
    try:
        after, tail = _number(request, "after"), _number(request, "tail") or odoo_logs.FIRST_LINES
    except ValueError:
        return HttpResponseBadRequest("`after` and `tail` are whole numbers.", content_type="text/plain")
    words = request.GET.get("q", "").strip()[: odoo_logs.LONGEST_SEARCH]
    try:
        page = odoo_logs.read_page(found, after=after, tail=tail, level=request.GET.get("level", ""), words=words)
    except Problem as problem:
        text = f"{problem.title} {problem.what_to_do}"
        return JsonResponse({"lines": [], "last": after, "more": False, "status": found.status, "problem": text})
    return JsonResponse(
        {
            "lines": [
                {
                    "sequence": line.sequence,
                    "step": "",
                    "level": line.level,
                    "text": line.text,
                    "time": line.time.isoformat(timespec="milliseconds"),
                }
                for line in page.lines
            ],
            "last": page.last,
            "more": page.more,
            "status": found.status,
        }
    )


@never_cache
@require_GET
@login_required
def log_download(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """The newest lines as a text file."""
    found = get_environment(request, organization, project, environment)
    require(request.user, PERMISSION, found)
    lines = odoo_logs.read_newest(found, tail=DOWNLOAD_LINES).lines
    text = "".join(f"{line.text}\n" for line in lines)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.slug}-odoo.log"'
    return response


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 17):
        raise ValueError(name)
    return int(text)
