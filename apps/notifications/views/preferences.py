"""What a person wants to be told of, and how: in general, and differently for an organization or a project."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.accounts.models import User
from apps.notifications import preferences as services
from apps.notifications.models import Channel
from apps.notifications.recipients import with_verified_address
from apps.orgs.models import Organization
from apps.projects.models import Project

_CHOICES = {"on": True, "off": False, "inherit": None}


@require_http_methods(["GET", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """One table per scope; the scope stands in the address."""
    scope = request.GET.get("scope", "")
    organization, project = services.find_scope(request.user, scope)
    rows = services.table(request.user, organization, project)
    if request.method == "POST":
        choices = {
            (row.kind.name, choice.channel): _CHOICES[answer]
            for row in rows
            for choice in row.choices
            if (answer := request.POST.get(f"{row.kind.name}:{choice.channel}")) in _CHOICES and answer != choice.name
        }
        services.set_preferences(user=request.user, choices=choices, organization=organization, project=project)
        messages.success(request, "Your choice is stored.")
        query = f"?{urlencode({'scope': scope})}" if scope else ""
        return redirect(reverse("notifications:preferences") + query)
    context = {
        "groups": _grouped(rows),
        "channels": Channel.choices,
        "scope": scope,
        "scope_name": project or organization,
        "scopes": _scopes(request.user),
        "is_verified": bool(with_verified_address([request.user.pk])),
    }
    return render(request, "notifications/preferences.html", context)


def _scopes(user: User) -> list[tuple[str, str]]:
    organizations = Organization.objects.filter(memberships__user=user)
    projects = Project.objects.visible_to(user).filter(organization__in=organizations).select_related("organization")
    scopes = [(f"organization:{one.pk}", one.name) for one in organizations]
    ordered = projects.order_by("organization__name", "name")
    return scopes + [(f"project:{one.pk}", f"{one.organization.name} / {one.name}") for one in ordered]


def _grouped(rows: list[services.Row]) -> list[tuple[str, list[services.Row]]]:
    groups: dict[str, list[services.Row]] = {}
    for row in rows:
        groups.setdefault(row.kind.group, []).append(row)
    return list(groups.items())
