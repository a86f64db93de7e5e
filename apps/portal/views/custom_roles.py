"""The matrix of all roles and permissions, and the organization's own roles."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.orgs import custom_roles
from apps.orgs.decorators import require_permission
from apps.orgs.models import CustomRole, Organization
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import CODES_BY_ROLE, ORDERED_CODES, ROLE_TITLES
from apps.portal.rights_forms import CustomRoleForm
from apps.projects.models import Project
from apps.projects.views.shared import show_problem

TIERS = {"portal": "Platform", "org": "Organization", "project": "Project"}


def find_role(user: Any, *, organization: str, role: uuid.UUID) -> CustomRole:
    """The role in the address. Raises Http404 to a stranger."""
    rows = CustomRole.objects.select_related("organization")
    return get_visible_or_404(rows, user, organization__slug=organization, pk=role)


@require_GET
@require_permission("org.roles.view")
def matrix(request: HttpRequest, found: Organization) -> HttpResponse:
    """All permissions and who has them: the platform's nine roles and the organization's own."""
    own = list(CustomRole.objects.filter(organization=found))
    columns = [(title, CODES_BY_ROLE[name]) for name, title in ROLE_TITLES.items()]
    columns += [(role.name, frozenset(role.codes)) for role in own]
    tiers = [
        (title, [(code, [code in codes for _, codes in columns]) for code in ORDERED_CODES if code.startswith(tier)])
        for tier, title in TIERS.items()
    ]
    context = {
        "organization": found,
        "columns": [(title, len(codes)) for title, codes in columns],
        "width": len(columns) + 1,
        "tiers": tiers,
        "own_roles": own,
    }
    return render(request, "orgs/roles.html", context)


@require_http_methods(["GET", "POST"])
@require_permission("org.roles.manage")
def role_create(request: HttpRequest, found: Organization) -> HttpResponse:
    """A new role of the organization's own."""
    form = CustomRoleForm(request.POST or None, user=request.user, organization=found)
    if request.method == "POST" and form.is_valid():
        try:
            role = custom_roles.create_role(organization=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"The role {role} is made. It is given on a member's page of rights.")
            return redirect("portal:roles", found.slug)
    context = {"organization": found, "form": form}
    return render(request, "orgs/role.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@require_permission("org.roles.manage", find_role)
def role_edit(request: HttpRequest, role: CustomRole) -> HttpResponse:
    """Changes a role for everybody who has it; shows who that is."""
    organization = role.organization
    shown = find_role(request.user, organization=organization.slug, role=role.pk)
    form = CustomRoleForm(request.POST or None, instance=shown, user=request.user, organization=organization)
    if request.method == "POST" and form.is_valid():
        try:
            custom_roles.update_role(role=role, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "The role is changed, for everybody who has it.")
            return redirect("portal:role", organization.slug, role.pk)
    assignments = list(role.assignments.select_related("user").order_by("user__email"))
    names = dict(
        Project.objects.visible_to(request.user)
        .filter(pk__in=[one.on_project for one in assignments if one.on_project])
        .values_list("pk", "name")
    )
    context = {
        "organization": organization,
        "role": role,
        "form": form,
        "holders": [(one.user, names.get(one.on_project, "")) for one in assignments],
    }
    return render(request, "orgs/role.html", context, status=422 if form.errors else 200)


@require_POST
@require_permission("org.roles.manage", find_role)
def role_delete(request: HttpRequest, role: CustomRole) -> HttpResponse:
    """Deletes a role, and so takes it from everybody."""
    custom_roles.delete_role(role=role, actor=request.user)
    messages.success(request, f"The role {role} is deleted.")
    return redirect("portal:roles", role.organization.slug)
