"""Looking at environments: a project's stages, one environment, and what a server carries."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.core.htmx import is_partial
from apps.environments import states
from apps.environments.actions import PERMISSIONS, expected_confirmation
from apps.environments.capacity import server_capacity as capacity_of
from apps.environments.models import Environment, EnvironmentQuerySet, EnvironmentType, Status
from apps.environments.restoring import may_be_restored
from apps.environments.sources import effective_sources
from apps.environments.views.shared import frame, get_environment, get_project
from apps.operations.models import Operation
from apps.orgs.access import has_permission, require
from apps.orgs.querysets import get_visible_or_404
from apps.servers.models import Server

# Cards of each stage side by side, and of one stage on a page of its own.
STAGE_CARDS, STAGE_PAGE = 12, 48
# With more in one stage there is something to search for.
MANY_CARDS = 4
CAPACITY_PAGE, MOST_SHARES = 50, 24
# What such a card shows.
_SHOWN = (
    "project_id", "name", "slug", "environment_type", "status", "host_name", "branch", "needs_redeploy", "cpu",
    "memory_megabytes", "server__name", "server__https_port",
)  # fmt: skip


@require_GET
@login_required
def stages(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """A project: development, staging and production side by side, an environment a card in its column."""
    found = get_project(request, organization, project)
    require(request.user, "project.view", found)
    stage = next((kind for kind in EnvironmentType.values if kind == request.GET.get("stage")), "")
    stages = [(kind, label) for kind, label in EnvironmentType.choices if stage in ("", kind)]
    rows = Environment.objects.existing().filter(project=found).select_related("server").only(*_SHOWN)
    rows, is_filtered = _narrowed(rows, request)
    number, size = (request.GET.get("page"), STAGE_PAGE) if stage else (1, STAGE_CARDS)
    pages = {kind: Paginator(rows.filter(environment_type=kind), size).get_page(number) for kind, _ in stages}
    environments = [environment for page in pages.values() for environment in page]
    active = {
        operation.subject_id: operation
        for operation in Operation.objects.active()
        .filter(subject_id__in=[environment.pk for environment in environments])
        .with_progress()
    }
    for environment in environments:
        environment.operation, environment.project = active.get(environment.pk), found
    columns = [(kind, label, pages[kind]) for kind, label in stages]
    destroyed = Environment.objects.filter(project=found, status=Status.DELETED, purged_at=None)
    context = {
        "organization": found.organization,
        "project": found,
        "columns": columns,
        "stage": stage,
        "is_filtered": is_filtered,
        "has_many": any(page.paginator.count > MANY_CARDS for page in pages.values()),
        "statuses": Status.choices[:-1],
        "repositories": found.repositories.all(),
        "destroyed": [(row, may_be_restored(row)) for row in destroyed.order_by("-destroyed_at")],
        "may_create": has_permission(request.user, "project.environments.create", found),
        "may_delete": has_permission(request.user, "project.environments.delete", found),
    }
    return render(request, "environments/stages.html", context)


def _narrowed(rows: EnvironmentQuerySet, request: HttpRequest) -> tuple[EnvironmentQuerySet, bool]:
    """Those with the words and the status that were asked for, and whether anything was."""
    words, status = request.GET.get("q", "").replace("\0", "").strip()[:100], request.GET.get("status", "")
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(host_name__icontains=words) | Q(branch__icontains=words))
    if status in Status.values:
        rows = rows.filter(status=status)
    return rows, bool(words or status)


@require_GET
@login_required
def overview(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """State, actions, address, allocation, what is not applied yet. htmx gets the part that changes."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.environments.view", found)
    context = frame(request, found)
    context |= {
        "actions": [
            (action, _why_not(request, found, action, context["operation"]))
            for action in states.actions(found)
            # Cloning and destroying have pages or dialogs of their own.
            if action.name not in ("clone", "destroy")
        ],
        "sources": effective_sources(found),
        "allocation": found.allocation,
        "expected_confirmation": expected_confirmation(found),
        # The answer to who asks again and again, after the end: what else has changed comes with it.
        "replaces": is_partial(request) and context["operation"] is None,
    }
    template = "environments/overview.html#state" if is_partial(request) else "environments/overview.html"
    return render(request, template, context)


@require_GET
@login_required
def server_capacity(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Who takes what of a server; a part of the server's page, and a page of its own."""
    found = get_visible_or_404(
        Server.objects.select_related("organization"), request.user, organization__slug=organization, slug=server
    )
    require(request.user, "org.servers.list", found)
    rows = Environment.objects.existing().filter(server=found).order_by("-memory_megabytes", "name")
    page = Paginator(rows.without_secrets().select_related("project"), CAPACITY_PAGE).get_page(request.GET.get("page"))
    names = ("cpu", "memory_megabytes", "disk_megabytes")
    columns = {name: [] for name in names}
    for title, *amounts in rows.values_list("name", *names):
        for name, amount in zip(names, amounts, strict=True):
            columns[name].append((title, amount))
    shares = dict(zip(("CPU", "memory", "disk"), map(_largest, columns.values()), strict=True))
    context = {
        "organization": found.organization,
        "server": found,
        "page": page,
        "is_part": is_partial(request),
        "resources": [(resource, shares.get(resource.name, ())) for resource in capacity_of(found)],
    }
    template = "environments/capacity.html#capacity" if is_partial(request) else "environments/capacity.html"
    return render(request, template, context)


def _largest(shares: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The largest shares of a bar; the rest, too narrow to be seen, is one."""
    ordered = sorted(shares, key=lambda share: -share[1])
    rest = ordered[MOST_SHARES:]
    return ordered[:MOST_SHARES] + ([(f"{len(rest)} others", sum(amount for _, amount in rest))] if rest else [])


def _why_not(request: HttpRequest, environment: Environment, action: states.Action, operation: Operation | None) -> str:
    """Empty where the action is possible now for this person, or else the reason that the button shows."""
    if not has_permission(request.user, PERMISSIONS[action.name], environment):
        return "Your role does not allow this."
    if operation is not None:
        return f"{operation.title} is under way."
    if not action.allowed:
        return action.reason
    return "" if environment.server_id else "It has no server yet: choose one in the settings."
