"""Looking at environments: a project's stages, one environment, and what a server carries."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.core.htmx import is_partial
from apps.environments import states
from apps.environments.actions import PERMISSIONS, expected_confirmation
from apps.environments.capacity import server_capacity as capacity_of
from apps.environments.models import Environment, EnvironmentType, Status
from apps.environments.restoring import may_be_restored
from apps.environments.sources import effective_sources
from apps.environments.views.shared import frame, get_environment, get_project
from apps.operations.models import Operation
from apps.orgs.access import has_permission, require
from apps.orgs.querysets import get_visible_or_404
from apps.servers.models import Server

# Cards of each stage side by side, and of one stage on a page of its own.
STAGE_CARDS, STAGE_PAGE = 12, 48
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
        "repositories": found.repositories.all(),
        "destroyed": [(row, may_be_restored(row)) for row in destroyed.order_by("-destroyed_at")],
        "may_create": has_permission(request.user, "project.environments.create", found),
        "may_delete": has_permission(request.user, "project.environments.delete", found),
    }
    return render(request, "environments/stages.html", context)


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
    environments = list(
        Environment.objects.existing()
        .filter(server=found)
        .without_secrets()
        .select_related("project")
        .order_by("-memory_megabytes", "name")
    )
    shares = {
        "CPU": [(one.name, one.cpu) for one in environments],
        "memory": [(one.name, one.memory_megabytes) for one in environments],
        "disk": [(one.name, one.disk_megabytes) for one in environments],
        "environments": [(one.name, 1) for one in environments],
    }
    context = {
        "organization": found.organization,
        "server": found,
        "environments": environments,
        "resources": [(resource, shares[resource.name]) for resource in capacity_of(found)],
    }
    template = "environments/capacity.html#capacity" if is_partial(request) else "environments/capacity.html"
    return render(request, template, context)


def _why_not(request: HttpRequest, environment: Environment, action: states.Action, operation: Operation | None) -> str:
    """Empty where the action is possible now for this person, or else the reason that the button shows."""
    if not has_permission(request.user, PERMISSIONS[action.name], environment):
        return "Your role does not allow this."
    if operation is not None:
        return f"{operation.title} is under way."
    if not action.allowed:
        return action.reason
    return "" if environment.server_id else "It has no server yet: choose one in the settings."
