"""What several pages of an environment need: the getter, which is the check for strangers, and the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from apps.core.exceptions import Problem
from apps.core.htmx import is_partial
from apps.environments.models import Environment
from apps.operations import services as operations
from apps.orgs.access import has_permission
from apps.orgs.querysets import get_visible_or_404
from apps.projects.models import Project


@dataclass(frozen=True)
class Tab:
    """One part of an environment's pages."""

    label: str
    url: str
    is_current: bool


# Label, address below the environment, and the permission that shows it. Some are pages of the apps above.
_TABS = (
    ("Overview", "", "project.environments.view"),
    ("Deployments", "deployments/", "project.deployments.view"),
    ("Logs", "logs/", "project.environments.logs.view"),
    ("Variables", "variables/", "project.environments.vars.view"),
    ("Repositories", "repositories/", "project.environments.view"),
    ("Domains", "domains/", "project.environments.view"),
    ("Settings", "settings/", "project.environments.view"),
)


def get_project(request: HttpRequest, organization: str, project: str) -> Project:
    """The project in the address; 404 for a stranger."""
    projects = Project.objects.select_related("organization")
    return get_visible_or_404(projects, request.user, organization__slug=organization, slug=project)


def get_environment(request: HttpRequest, organization: str, project: str, environment: str) -> Environment:
    """The environment in the address; 404 for a stranger, and for one that was destroyed."""
    environments = Environment.objects.existing().select_related("project__organization", "server")
    lookup = {"project__organization__slug": organization, "project__slug": project, "slug": environment}
    return get_visible_or_404(environments, request.user, **lookup)


def address(environment: Environment, name: str = "overview", *more: object) -> str:
    """The address of one of an environment's pages."""
    project = environment.project
    return reverse(f"environments:{name}", args=[project.organization.slug, project.slug, environment.slug, *more])


def frame(request: HttpRequest, environment: Environment) -> dict[str, Any]:
    """What the frame of every page of an environment shows (templates/environments/frame.html)."""
    operation = operations.active_for(environment.lock_key)
    if operation is None and is_partial(request):
        # It may have ended since the environment was read: who asks again and again stops now, with this answer.
        environment.refresh_from_db(fields=["status", "status_reason"])
    base = address(environment)
    current = request.path.removeprefix(base).partition("/")[0]
    tabs = [
        Tab(label, base + part, part.rstrip("/") == current)
        for label, part, code in _TABS
        if has_permission(request.user, code, environment)
    ]
    return {
        "environment": environment,
        "project": environment.project,
        "organization": environment.project.organization,
        "operation": operation,
        "tabs": tabs,
        "may_deploy": has_permission(request.user, "project.environments.deploy", environment),
        "may_update": has_permission(request.user, "project.environments.update", environment),
    }


def show_problem(form: forms.Form, error: Problem | ValidationError) -> None:
    """What a service refused stands in the form, beside its field where the form has it."""
    if isinstance(error, Problem):
        form.add_error(None, f"{error.title} {error.what_to_do}")
        return
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        shown = {"memory_megabytes": "memory_gigabytes", "disk_megabytes": "disk_gigabytes"}.get(name, name)
        form.add_error(shown if shown in form.fields else None, errors)
