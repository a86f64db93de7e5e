"""The person's time zone, for every time that a page shows; pages for problems that views let through."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from apps.core.exceptions import Problem
from apps.core.htmx import is_partial

ZONE_COOKIE = "time_zone"


def person_time_zone(get_response: Callable) -> Callable:
    """Activates the zone that the person chose; before sign-in the one that the browser told, or else UTC."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        name = user.time_zone if user.is_authenticated else request.COOKIES.get(ZONE_COOKIE, "UTC")
        try:
            zone = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            zone = zoneinfo.ZoneInfo("UTC")
        with timezone.override(zone):
            return get_response(request)

    return middleware


class ProblemPages:
    """Shows a Problem that a view let through: title, what to do, and the way back. Parts asked for by htmx get the
    same as a message in place."""

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Problem):
            return None
        if is_partial(request):
            context = {"problem": exception}
            return render(request, "components/problem.html", context, status=exception.http_status)
        referrer = request.headers.get("referer", "")
        own = url_has_allowed_host_and_scheme(referrer, allowed_hosts={request.get_host()})
        context = {"problem": exception, "back": referrer if own else ""}
        return render(request, "problem.html", context, status=exception.http_status)


problem_pages = ProblemPages
