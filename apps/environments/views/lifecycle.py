"""What people do to an environment: each answers at once, and goes on when the page is closed."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from apps.environments.actions import (
    CONTROL_ACTIONS,
    PERMISSIONS,
    destroy_environment,
    request_action,
    request_deployment,
    request_purge,
)
from apps.environments.models import Environment, Status
from apps.environments.restoring import PERMISSION as RESTORE_PERMISSION
from apps.environments.restoring import request_restore
from apps.environments.states import ensure_allowed
from apps.environments.views.shared import address, get_environment, get_project
from apps.orgs.access import require
from apps.orgs.querysets import get_visible_or_404


@require_POST
@login_required
def action(request: HttpRequest, organization: str, project: str, environment: str, action: str) -> HttpResponse:
    """Start, stop, restart, pause, resume, sync, deploy, redeploy. A refused one is answered with 409 and why."""
    found = get_environment(request, organization, project, environment)
    if action not in (*CONTROL_ACTIONS, "deploy", "redeploy"):
        raise Http404
    require(request.user, PERMISSIONS[action], found)
    if action in CONTROL_ACTIONS:
        operation = request_action(environment=found, action=action, user=request.user)
        messages.info(request, f"{operation.title}: under way.")
        return redirect(address(found))
    ensure_allowed(found, action)
    deployment = request_deployment(environment=found, actor=request.user)
    target = getattr(deployment, "get_absolute_url", None)
    return redirect(target() if target else address(found))


@require_POST
@login_required
def destroy(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """Destroys an environment whose name was typed."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.environments.delete", found)
    destroy_environment(
        environment=found,
        confirmation=request.POST.get("confirm_name", ""),
        understood=request.POST.get("understood") == "yes",
        actor=request.user,
    )
    messages.info(request, f"{found} is being destroyed. Its data is kept aside for a while.")
    return redirect(address(found))


@require_POST
@login_required
def restore(request: HttpRequest, organization: str, project: str, identifier: uuid.UUID) -> HttpResponse:
    """Brings a destroyed environment back."""
    environment = _get_destroyed(request, organization, project, identifier)
    require(request.user, RESTORE_PERMISSION, environment)
    operation = request_restore(environment=environment, actor=request.user)
    messages.info(request, f"{operation.title}: under way. Deploy it afterwards: that starts it.")
    environment.refresh_from_db()
    if former := operation.parameters["former_host_name"]:
        messages.warning(
            request,
            f"{former} belongs to another environment now. The address is {environment.host_name} from now on; the "
            "next deployment tells Odoo so.",
        )
    return redirect(address(environment))


@require_POST
@login_required
def purge(request: HttpRequest, organization: str, project: str, identifier: uuid.UUID) -> HttpResponse:
    """Removes the data of a destroyed environment before its time."""
    environment = _get_destroyed(request, organization, project, identifier)
    require(request.user, "project.environments.delete", environment)
    request_purge(environment=environment, actor=request.user)
    messages.info(request, f"What is left of {environment} is being removed for good.")
    return redirect("environments:stages", organization, project)


def _get_destroyed(request: HttpRequest, organization: str, project: str, identifier: uuid.UUID) -> Environment:
    found = get_project(request, organization, project)
    environments = Environment.objects.filter(project=found, status=Status.DELETED)
    return get_visible_or_404(environments, request.user, pk=identifier)
