"""A new environment: one page, with the resulting configuration and what it does to the server beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.environments import naming, services
from apps.environments.capacity import server_capacity
from apps.environments.forms import EnvironmentForm
from apps.environments.models import Environment, EnvironmentType
from apps.environments.views.shared import address, get_project, show_problem
from apps.orgs.access import require
from apps.projects.models import Project


@require_http_methods(["GET", "POST"])
@login_required
def environment_create(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """The wizard. Only the type is asked; everything else has a default."""
    found = get_project(request, organization, project)
    require(request.user, "project.environments.create", found)
    wanted = request.GET.get("type", "")
    initial = {"environment_type": wanted} if wanted in EnvironmentType.values else {}
    form = EnvironmentForm(request.POST or None, project=found, initial=initial)
    if request.method == "POST" and form.is_valid():
        deploy = form.cleaned_data["deploy"]
        if deploy:
            require(request.user, "project.environments.deploy", found)
        try:
            environment = services.create_environment(project=found, actor=request.user, deploy=deploy, **form.values())
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"{environment} is created.")
            return redirect(address(environment))
    context = {"organization": found.organization, "project": found, "form": form, **_outlook(found, form)}
    return render(request, "environments/create.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def preview(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """The part beside the form: what would come out of what is entered now."""
    found = get_project(request, organization, project)
    require(request.user, "project.environments.create", found)
    form = EnvironmentForm(request.POST, project=found)
    form.is_valid()
    return render(request, "environments/create.html#outlook", {"project": found, **_outlook(found, form)})


def _outlook(project: Project, form: EnvironmentForm) -> dict[str, Any]:
    """The environment as it would be, and the server with it; or what stands against it."""
    values = form.values() if form.is_bound and hasattr(form, "cleaned_data") else {}
    values["environment_type"] = values.get("environment_type") or form["environment_type"].initial
    if not form.is_bound:
        server = form.fields["server"].initial
        values |= {"server": server} if server else {}
    try:
        environment = services.build_environment(project=project, **values)
    except Problem as problem:
        return {"problem": problem}
    except ValidationError:
        return {}
    return {
        "outlook": environment,
        "host_name": naming.free_host_name(project, environment.environment_type),
        "resources": _with(environment) if environment.server else [],
    }


def _with(environment: Environment) -> list[dict[str, Any]]:
    """Each resource of the server with what this environment would add."""
    wanted = (environment.cpu, environment.memory_megabytes, environment.disk_megabytes, 1)
    return [
        {
            "name": resource.name,
            "text": replace(resource, allocated=resource.allocated + amount).text,
            "total": resource.total,
            "after": resource.allocated + amount,
            "segments": [("Allocated", resource.allocated), ("This environment", amount)],
            "is_exceeded": amount > resource.free,
        }
        for resource, amount in zip(server_capacity(environment.server), wanted, strict=True)
    ]
