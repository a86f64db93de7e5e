"""Variables of an environment. A secret value is never in an answer."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.core.fields import unreadable
from apps.environments.forms import VariableForm
from apps.environments.models import EnvironmentVariable
from apps.environments.variables import delete_variable, set_variable
from apps.environments.views.shared import address, frame, get_environment, show_problem
from apps.orgs.access import has_permission, require
from apps.orgs.querysets import get_visible_or_404


@require_http_methods(["GET", "POST"])
@login_required
def variables(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """The list, and setting one."""
    found = get_environment(request, organization, project, environment)
    require(request.user, f"project.environments.vars.{'view' if request.method == 'GET' else 'manage'}", found)
    form = VariableForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            variable = set_variable(environment=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"{variable.key} is set. It takes effect with the next deployment.")
            return redirect(address(found, "variables"))
    context = frame(request, found) | {
        "variables": [_shown(one) for one in found.variables.all()],
        "form": form,
        "may_manage": has_permission(request.user, "project.environments.vars.manage", found),
    }
    return render(request, "environments/variables.html", context, status=422 if form.errors else 200)


def _shown(variable: EnvironmentVariable) -> tuple[EnvironmentVariable, str | None, bool]:
    """With its value unless that is a secret, and whether it cannot be decrypted any more."""
    is_lost = bool(unreadable(variable))
    return variable, None if variable.sensitive or is_lost else variable.value, is_lost


@require_POST
@login_required
def variable_delete(
    request: HttpRequest, organization: str, project: str, environment: str, variable: uuid.UUID
) -> HttpResponse:
    """Removes one."""
    found = get_environment(request, organization, project, environment)
    one = get_visible_or_404(EnvironmentVariable.objects.filter(environment=found), request.user, pk=variable)
    require(request.user, "project.environments.vars.manage", found)
    delete_variable(variable=one, actor=request.user)
    messages.success(request, f"{one.key} is removed. The container keeps it until the next deployment.")
    return redirect(address(found, "variables"))
