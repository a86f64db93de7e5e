"""Deployments of an environment: the list, one of them live, and what people get after it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.core.htmx import is_partial
from apps.deployments import history, services, tasks
from apps.deployments.models import Deployment, DeploymentStatus, Trigger
from apps.environments.models import Environment, Status
from apps.environments.views.shared import frame, get_environment
from apps.operations import access
from apps.operations.views import steps_context
from apps.orgs.access import has_permission, require
from apps.orgs.querysets import get_visible_or_404

PAGE_SIZE = 25
PANEL_SIZE = 5
# Being the administrator of an Odoo is being inside of it.
ADMINISTRATOR_CODE = "project.environments.shell"


@require_GET
@login_required
def deployment_list(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """All deployments with filters; `?panel=1` gives the last few for the overview."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.deployments.view", found)
    deployments = history.rows_of(history.history(found))
    if request.GET.get("panel"):
        context = {"environment": found, "deployments": deployments[:PANEL_SIZE]}
        return render(request, "deployments/list.html#panel", context)
    chosen = {name: request.GET.get(name, "") for name in ("status", "trigger")}
    deployments = history.narrowed(deployments, words=request.GET.get("q", ""), **chosen)
    context = frame(request, found) | {
        "page": Paginator(deployments, PAGE_SIZE).get_page(request.GET.get("page")),
        "statuses": [(name, label) for name, (label, _) in history.FILTERS.items()],
        "triggers": Trigger.choices,
        "is_filtered": any(request.GET.get(name) for name in ("q", "status", "trigger")),
        **chosen,
    }
    template = "deployments/list.html#rows" if is_partial(request) else "deployments/list.html"
    return render(request, template, context)


@never_cache
@require_GET
@login_required
def deployment_detail(
    request: HttpRequest, organization: str, project: str, environment: str, number: int
) -> HttpResponse:
    """The sixteen steps and the log, live; buttons that fit the state."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.deployments.view", found)
    deployment = _get_deployment(request, found, number)
    context = frame(request, found) | steps_context(request, deployment.operation)
    context |= _outcome(request, deployment)
    template = "deployments/detail.html#outcome" if is_partial(request) else "deployments/detail.html"
    return render(request, template, context)


@require_POST
@login_required
def deployment_retry(
    request: HttpRequest, organization: str, project: str, environment: str, number: int
) -> HttpResponse:
    """The same configuration once more, as a new deployment."""
    found = get_environment(request, organization, project, environment)
    deployment = _get_deployment(request, found, number)
    access.require_to_retry(request.user, deployment.operation)
    return redirect(services.retry(deployment=deployment, user=request.user).get_absolute_url())


@never_cache
@require_POST
@login_required
def open_odoo(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """A page that leads on to Odoo at once, signed in. Not a redirect: the answer to a form may not lead to another
    host (form-action of the Content-Security-Policy)."""
    found = get_environment(request, organization, project, environment)
    require(request.user, ADMINISTRATOR_CODE, found)
    url = services.one_use_login_url(environment=found, user=request.user)
    response = render(request, "deployments/open.html", {"environment": found, "url": url})
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_POST
@login_required
def reveal_password(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """The administrator's first password, this once."""
    found = get_environment(request, organization, project, environment)
    require(request.user, ADMINISTRATOR_CODE, found)
    name, password = services.reveal_admin_password(environment=found, user=request.user)
    context = frame(request, found) | {"login": name, "password": password}
    template = "deployments/password.html#secret" if is_partial(request) else "deployments/password.html"
    return render(request, template, context)


@require_GET
@login_required
def access_panel(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """For the overview: how to get into Odoo, and whether the first password is still in use. The question to the
    server is asked beside this request."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.environments.view", found)
    if found.status == Status.RUNNING and not found.admin_password_changed and found.admin_password_hash:
        tasks.ask_for_password_check(found)
    context = {"environment": found, **_access(request, found)}
    return render(request, "deployments/access.html", context)


def _get_deployment(request: HttpRequest, environment: Environment, number: int) -> Deployment:
    return get_visible_or_404(history.history(environment), request.user, number=number)


def _outcome(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    """What the page says beside steps and log."""
    environment, status = deployment.environment, deployment.status
    may_deploy = has_permission(request.user, "project.environments.deploy", environment)
    newest = environment.deployments.order_by("-number").values_list("number", flat=True).first()
    return {
        "deployment": deployment,
        "status": status,
        "usual": history.usual_seconds(deployment),
        "may_retry": may_deploy and status == DeploymentStatus.FAILED and deployment.number == newest,
        "is_newest": deployment.number == newest,
        **_access(request, environment),
    }


def _access(request: HttpRequest, environment: Environment) -> dict[str, Any]:
    may_enter = has_permission(request.user, ADMINISTRATOR_CODE, environment)
    is_running = environment.status == Status.RUNNING
    return {
        "may_open": may_enter and is_running,
        "may_reveal": may_enter and bool(environment.admin_password_hash and environment.admin_password),
        "warns_of_password": is_running
        and bool(environment.admin_password_hash)
        and not environment.admin_password_changed,
    }
