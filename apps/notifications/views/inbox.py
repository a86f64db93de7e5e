"""A person's inbox. Nobody else's role opens it."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.notifications import inbox as services
from apps.notifications.models import Notice
from apps.orgs.access import scope_of
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404

PAGE_SIZE = 30


@require_GET
@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    """What happened, the newest first: unread, or all; of one organization, or all."""
    notices = Notice.objects.visible_to(request.user).select_related("event__organization", "event__project")
    only_unread = request.GET.get("show") == "unread"
    if only_unread:
        notices = notices.filter(read_at=None)
    slug = request.GET.get("organization", "")
    if slug:
        notices = notices.filter(event__organization__slug=slug.replace("\0", ""))
    context = {
        "page": Paginator(notices, PAGE_SIZE).get_page(request.GET.get("page")),
        "only_unread": only_unread,
        "organizations": Organization.objects.filter(memberships__user=request.user),
        "slug": slug,
    }
    return render(request, "notifications/inbox.html", context)


@require_GET
@login_required
def inbox_count(request: HttpRequest) -> HttpResponse:
    """The bell by itself, for pages that stay open."""
    return render(request, "notifications/bell.html", {"count": services.unread_count(request.user)})


@require_POST
@login_required
def inbox_read_all(request: HttpRequest) -> HttpResponse:
    """Everything counts as read."""
    services.mark_read(user=request.user)
    return redirect("notifications:inbox")


@require_GET
@login_required
def notice_open(request: HttpRequest, notice: uuid.UUID) -> HttpResponse:
    """Leads on to what it tells about, which counts as reading it; not where somebody only looks on."""
    found = get_visible_or_404(Notice.objects.select_related("event"), request.user, pk=notice)
    scope = scope_of(request.user)
    if scope is None or not scope.read_only:
        services.mark_read(user=request.user, notices=[found.pk])
    return redirect(found.event.path or "notifications:inbox")


@require_POST
@login_required
def notice_mark(request: HttpRequest, notice: uuid.UUID) -> HttpResponse:
    """Read, or not read again."""
    found = get_visible_or_404(Notice, request.user, pk=notice)
    if request.POST.get("as") == "unread":
        services.mark_unread(user=request.user, notice=found.pk)
    else:
        services.mark_read(user=request.user, notices=[found.pk])
    return redirect("notifications:inbox")
