"""Where a person is signed in."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.sessions import end, end_all, sessions_of


@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """All of the person's sessions: device, address, when last seen."""
    rows = sessions_of(request.user, request.session.session_key)
    return render(
        request, "account/sessions.html", {"rows": rows, "others": len([row for row in rows if not row.is_current])}
    )


@require_POST
@login_required
def end_session(request: HttpRequest, session: int) -> HttpResponse:
    """Ends one of the person's own; the current one too, which signs out."""
    found = get_object_or_404(UserSession, pk=session, user=request.user)
    if found.session_key == request.session.session_key:
        return redirect("account_logout")
    end(found, actor=request.user, request=request)
    messages.success(request, "That session is ended.")
    return redirect("accounts:sessions")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Ends all but the current one."""
    count = end_all(request.user, actor=request.user, but=request.session.session_key, request=request)
    messages.success(request, "You are signed in nowhere else now." if count else "There were no other sessions.")
    return redirect("accounts:sessions")
