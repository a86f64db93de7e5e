"""Platform staff in an organization: asked for, let in, refused, ended."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core import clock
from apps.orgs import support
from apps.orgs.access import has_permission, require
from apps.orgs.models import Membership, Organization, SupportAccess
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import Role
from apps.portal.viewing import stop

PAGE_SIZE = 20
DURATIONS = ((60, "1 hour"), (240, "4 hours"), (24 * 60, "1 day"), (7 * 24 * 60, "7 days"))


@require_GET
@login_required
def support_access(request: HttpRequest, organization: str) -> HttpResponse:
    """Who of the platform's staff asks to come in, who is in, who was."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.audit.view", found)
    rows = SupportAccess.objects.filter(organization=found).select_related("staff", "granted_by", "ended_by")
    waiting = list(rows.waiting().filter(created_at__gte=clock.now() - support.REQUEST_LIFETIME))
    for access in waiting:
        access.asked_for = dict(DURATIONS).get(access.minutes, f"{access.minutes} minutes")
        access.durations = [choice for choice in DURATIONS if choice[0] < access.minutes]
    active = rows.active()
    past = rows.exclude(pk__in=[access.pk for access in waiting]).exclude(pk__in=active.values("pk"))
    owns = Membership.objects.filter(organization=found, user=request.user, role=Role.OWNER)
    context = {
        "organization": found,
        "waiting": waiting,
        "active": active,
        "page": Paginator(past, PAGE_SIZE).get_page(request.GET.get("page")),
        "may_answer": has_permission(request.user, "org.ownership.transfer", found) and owns.exists(),
        "may_end": has_permission(request.user, "org.members.manage", found),
    }
    return render(request, "portal/support.html", context)


@require_POST
@login_required
def support_grant(request: HttpRequest, organization: str, access: uuid.UUID) -> HttpResponse:
    """The Owner lets the member of staff in, for as long as was asked or for less."""
    found = _access(request, organization, access, "org.ownership.transfer")
    minutes = request.POST.get("minutes", "")
    chosen = int(minutes) if minutes.isascii() and minutes.isdecimal() and len(minutes) < 6 else None
    granted = support.grant(access=found, actor=request.user, minutes=chosen)
    messages.success(request, f"{granted.staff} may enter until the time is over, or until you end it.")
    return redirect("portal:support", organization)


@require_POST
@login_required
def support_refuse(request: HttpRequest, organization: str, access: uuid.UUID) -> HttpResponse:
    """The Owner says no."""
    found = _access(request, organization, access, "org.ownership.transfer")
    support.refuse(access=found, actor=request.user)
    messages.success(request, f"The request of {found.staff} is refused.")
    return redirect("portal:support", organization)


@require_POST
@login_required
def support_end(request: HttpRequest, organization: str, access: uuid.UUID) -> HttpResponse:
    """Whoever may remove people ends the way in at once."""
    found = _access(request, organization, access, "org.members.manage")
    support.end(access=found, actor=request.user)
    messages.success(request, f"{found.staff} may not enter any more.")
    return redirect("portal:support", organization)


@require_POST
@login_required
def view_as_end(request: HttpRequest) -> HttpResponse:
    """A member of staff is themselves again. Harmless for everybody else."""
    stop(request)
    return redirect("admin:orgs_viewas_changelist" if request.user.is_staff else "portal:home")


def _access(request: HttpRequest, organization: str, identifier: uuid.UUID, code: str) -> SupportAccess:
    rows = SupportAccess.objects.select_related("organization", "staff")
    found = get_visible_or_404(rows, request.user, organization__slug=organization, pk=identifier)
    require(request.user, code, found.organization)
    return found
