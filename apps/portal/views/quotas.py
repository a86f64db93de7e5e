"""Quotas and usage: what is allocated, over time, and asking for more."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.orgs import quota_requests
from apps.orgs.access import has_permission, require
from apps.orgs.models import Organization, QuotaRequest
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.quotas import quota_of
from apps.portal import usage
from apps.projects.models import Project

SHOWN_REQUESTS = 5


class QuotaRequestForm(forms.ModelForm):
    """The totals that there should be; what is left empty stays."""

    class Meta:
        model = QuotaRequest
        fields = ("cpu", "memory_megabytes", "disk_megabytes", "environments", "servers", "reason")
        labels = {
            "cpu": "CPU cores",
            "memory_megabytes": "Memory (MB)",
            "disk_megabytes": "Disk (MB)",
            "reason": "What for",
        }
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}


@require_GET
@login_required
def quotas(request: HttpRequest, organization: str) -> HttpResponse:
    """Allocated against quota, per project and environment, over time; and the requests for more."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.quotas.view", found)
    quota = quota_of(found)
    days = request.GET.get("days", "") if request.GET.get("days", "") in dict(usage.PERIODS) else "7"
    visible = Project.objects.visible_to(request.user).filter(organization=found).order_by("name")
    project = visible.filter(slug=request.GET.get("project", "").replace("\0", "")).first()
    rows = usage.samples(found, int(days), project)
    asked = QuotaRequest.objects.filter(organization=found).select_related("asked_by")[:SHOWN_REQUESTS]
    context = {
        "organization": found,
        "lines": usage.lines(found),
        "environment_limits": usage.environment_limits(quota),
        "page": usage.projects_page(found, request.user, request.GET.get("page")),
        "periods": usage.PERIODS,
        "days": days,
        "projects": visible.values_list("slug", "name")[:200],
        "project": project,
        "plot": usage.plot(rows, None if project else quota),
        "samples": usage.thinned(rows),
        "requests": asked,
        "may_withdraw_any": has_permission(request.user, "org.quotas.manage", found),
    }
    return render(request, "orgs/quotas.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def ask(request: HttpRequest, organization: str) -> HttpResponse:
    """Asks the platform's staff for more. Whoever sees the quota may ask; one request waits at a time."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.quotas.view", found)
    form = QuotaRequestForm(request.POST or None)
    if form.is_valid():
        try:
            quota_requests.ask(organization=found, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        except Problem as problem:
            form.add_error(None, f"{problem.title} {problem.what_to_do}")
        else:
            messages.success(request, "The platform's staff were asked. Their answer will stand here.")
            return redirect("portal:quotas", organization)
    context: dict[str, Any] = {"organization": found, "form": form, "lines": usage.lines(found)}
    return render(request, "orgs/quota_request.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def withdraw(request: HttpRequest, organization: str, request_id: uuid.UUID) -> HttpResponse:
    """Takes a request back: one's own, or anybody's with the right to manage quotas."""
    rows = QuotaRequest.objects.select_related("organization")
    found = get_visible_or_404(rows, request.user, organization__slug=organization, pk=request_id)
    code = "org.quotas.view" if found.asked_by_id == request.user.pk else "org.quotas.manage"
    require(request.user, code, found.organization)
    quota_requests.withdraw(request=found, actor=request.user)
    messages.success(request, "The request is withdrawn.")
    return redirect("portal:quotas", organization)
