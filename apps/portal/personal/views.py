"""The pages of a person's own data."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.audit import services as audit
from apps.core.exceptions import Problem
from apps.portal.personal.erasure import erase, owned_names
from apps.portal.personal.export import export


@require_safe
@login_required
def data(request: HttpRequest) -> HttpResponse:
    """What can be done with one's own data."""
    return render(request, "portal/personal_data.html", {"owned": owned_names(request.user)})


@require_POST
@login_required
@reauthentication_required
def export_data(request: HttpRequest) -> HttpResponse:
    """All of it as a file."""
    content = export(request.user)
    audit.record(action="account.exported", actor=request.user, target=request.user, request=request)
    headers = {"Content-Disposition": 'attachment; filename="oec-sh-my-data.zip"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/zip", headers=headers)


@require_POST
@login_required
@reauthentication_required
def erase_account(request: HttpRequest) -> HttpResponse:
    """Erases the account, after its address was typed."""
    try:
        erase(user=request.user, confirmation=request.POST.get("confirm_name", ""), request=request)
    except Problem as problem:
        context = {"owned": owned_names(request.user), "problem": problem}
        return render(request, "portal/personal_data.html", context, status=problem.http_status)
    # Not by logout: its event would name the person again.
    request.session.flush()
    request.user = AnonymousUser()
    messages.success(request, "Your account is erased.")
    return redirect("account_login")
