"""Operations of all kinds: the list, and the drawer with those that run."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.core import clock
from apps.operations.models import UNFINISHED, Operation, Status
from apps.orgs.access import require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404

PAGE_SIZE = 50
DRAWER_LIMIT = 20
RECENT = timedelta(minutes=30)
FILTERS = (
    ("unfinished", "Running"),
    (Status.COMPLETED, "Completed"),
    (Status.FAILED, "Failed"),
    (Status.CANCELLED, "Cancelled"),
)


@require_GET
@login_required
def activity(request: HttpRequest, organization: str) -> HttpResponse:
    """Every operation of the organization, the newest first, by status and words of the title."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.view", found)
    operations = Operation.objects.visible_to(request.user).filter(organization=found)
    operations = operations.select_related("created_by").order_by("-created_at")
    words, status = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("status", "")
    if words:
        operations = operations.filter(title__icontains=words)
    if status in dict(FILTERS):
        operations = operations.filter(status__in=UNFINISHED if status == "unfinished" else [status])
    page = Paginator(operations, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "organization": found,
        "page": page,
        "filters": FILTERS,
        "status": status,
        "is_filtered": words or status,
    }
    return render(request, "portal/activity.html", context)


@require_GET
@login_required
def running(request: HttpRequest, organization: str) -> HttpResponse:
    """The part that the drawer shows: what runs, then what ended a moment ago."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.view", found)
    operations = Operation.objects.visible_to(request.user).filter(organization=found)
    unfinished = operations.filter(status__in=UNFINISHED).with_progress().order_by("-created_at")
    recent = operations.filter(finished_at__gte=clock.now() - RECENT).order_by("-finished_at")[:8]
    context = {"count": unfinished.count(), "operations": unfinished[:DRAWER_LIMIT], "recent": recent}
    return render(request, "portal/running.html", context)
