"""A member of staff looks at the pages as a person sees them: every request is answered as that person, narrowed to
reading in the organizations that are open, or not at all."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.accounts.models import User
from apps.core import request_context
from apps.core.exceptions import Problem
from apps.orgs import view_as
from apps.orgs.models import ViewAs

SESSION_KEY = "view_as"
# Home, an organization's pages, operations. Not the person's own: account, second factors, inbox, invitations.
_PAGES = re.compile(r"/(?:o/(?!new/).*|operations/.*)?")
_READING = ("GET", "HEAD", "OPTIONS")


class ViewAsMiddleware:
    """Stands after everything that asks who is signed in, which is the member of staff."""

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY not in request.session or request.path == reverse("portal:view_as_end"):
            return self.get_response(request)
        view = current_view(request)
        person = view_as.narrowed_person(view) if view is not None else None
        if person is None:
            return _leave(request, view)
        if request.method not in _READING or not _PAGES.fullmatch(request.path):
            return _refuse(request, view)
        _become(request, view, person)
        return self.get_response(request)


view_as_person = ViewAsMiddleware


def current_view(request: HttpRequest) -> ViewAs | None:
    """The view of this session; None for one that was never this member of staff's."""
    try:
        identifier = uuid.UUID(str(request.session.get(SESSION_KEY)))
    except ValueError:
        return None
    rows = ViewAs.objects.select_related("staff", "person")
    return rows.filter(pk=identifier, staff_id=request.user.pk).first()


def stop(request: HttpRequest) -> None:
    """Ends the view of this session, if there is one."""
    view = current_view(request)
    request.session.pop(SESSION_KEY, None)
    if view is not None:
        view_as.end(view)


def _become(request: HttpRequest, view: ViewAs, person: User) -> None:
    async def answer() -> User:
        return person

    request.user, request.auser = person, answer
    request.viewing = view
    context = request_context.current()
    if context is not None:
        context.viewer = view.staff


def _leave(request: HttpRequest, view: ViewAs | None) -> HttpResponse:
    stop(request)
    if view is not None:
        messages.info(request, f"You do not view the portal as {view.person} any more: the time or the access is over.")
    return redirect("admin:index" if request.user.is_staff else "portal:home")


def _refuse(request: HttpRequest, view: ViewAs) -> HttpResponse:
    context: dict[str, Any] = {"problem": Problem("orgs.view_as_reads_only", person=view.person), "viewing": view}
    return render(request, "portal/viewing_only.html", context, status=403)
