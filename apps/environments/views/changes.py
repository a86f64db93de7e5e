"""Changing an environment while it lives: settings, allocation, repositories."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.environments import services, states
from apps.environments.actions import expected_confirmation
from apps.environments.capacity import server_capacity
from apps.environments.forms import EnvironmentSettingsForm, OverrideForm, ResizeForm
from apps.environments.models import Environment
from apps.environments.sources import all_sources, set_override
from apps.environments.views.shared import address, frame, get_environment, show_problem
from apps.orgs.access import has_permission, require
from apps.orgs.querysets import get_visible_or_404
from apps.projects.models import Repository


@require_http_methods(["GET", "POST"])
@login_required
def environment_settings(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """Everything that may change; what a deployment has to apply is said."""
    found = get_environment(request, organization, project, environment)
    require(request.user, f"project.environments.{'view' if request.method == 'GET' else 'update'}", found)
    form = EnvironmentSettingsForm(request.POST or None, environment=found)
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_environment(environment=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            later = " They take effect with the next deployment." if changed.needs_redeploy else ""
            messages.success(request, f"The settings are saved.{later}")
            return redirect(address(changed, "settings"))
    return _settings_page(request, found, form=form)


@require_POST
@login_required
def resize(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """CPU and memory at once, where the environment runs."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.environments.update", found)
    form = ResizeForm(request.POST)
    if form.is_valid():
        try:
            operation = services.resize(environment=found, actor=request.user, **form.allocation_values())
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"{operation.title}: under way." if operation else "The allocation is saved.")
            return redirect(address(found, "settings"))
    found.refresh_from_db()
    return _settings_page(request, found, resize_form=form)


@require_http_methods(["GET", "POST"])
@login_required
def repositories(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """What is deployed from where; a branch of its own, or left out, for one repository at a time."""
    found = get_environment(request, organization, project, environment)
    require(request.user, f"project.environments.{'view' if request.method == 'GET' else 'update'}", found)
    form = OverrideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _override(request, found, form)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "Saved. It takes effect with the next deployment.")
            return redirect(address(found, "repositories"))
    context = frame(request, found) | {"sources": all_sources(found), "form": form}
    return render(request, "environments/repositories.html", context, status=422 if form.errors else 200)


def _override(request: HttpRequest, environment: Environment, form: OverrideForm) -> None:
    mine = Repository.objects.filter(project=environment.project_id)
    repository = get_visible_or_404(mine, request.user, pk=form.cleaned_data["repository"])
    branch, excluded = form.cleaned_data["branch"], form.cleaned_data["excluded"]
    if repository.kind == Repository.Kind.PRIMARY:
        if excluded:
            raise ValidationError("The primary repository cannot be left out.")
        branch = branch or environment.project.default_branch
        services.update_environment(environment=environment, actor=request.user, branch=branch)
        return
    set_override(environment=environment, repository=repository, branch=branch, excluded=excluded, actor=request.user)


def _settings_page(
    request: HttpRequest, environment: Environment, *, form: Form | None = None, resize_form: Form | None = None
) -> HttpResponse:
    may_delete = has_permission(request.user, "project.environments.delete", environment)
    context = frame(request, environment) | {
        "form": form or EnvironmentSettingsForm(environment=environment),
        "resize_form": resize_form or ResizeForm(initial=ResizeForm.initial_of(environment)),
        "capacity": server_capacity(environment.server, leaving_out=environment) if environment.server else None,
        "is_editable": environment.status in states.EDITABLE,
        "may_delete": may_delete,
        "may_destroy_now": may_delete and states.is_allowed(environment.status, "destroy"),
        "expected_confirmation": expected_confirmation(environment),
        "is_production": environment.environment_type == "production",
    }
    has_errors = bool((form and form.errors) or (resize_form and resize_form.errors))
    return render(request, "environments/settings.html", context, status=422 if has_errors else 200)
