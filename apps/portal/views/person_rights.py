"""What one member may, and why: every right with where it comes from, and the exceptions."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core.exceptions import Problem
from apps.orgs import custom_roles, overrides
from apps.orgs.access import has_permission
from apps.orgs.decorators import require_permission
from apps.orgs.explanation import explain
from apps.orgs.models import CustomRoleAssignment, Membership, PermissionOverride
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import Role
from apps.portal.rights_forms import GiveRoleForm, OverrideForm
from apps.projects.models import Project
from apps.projects.views.shared import show_problem


def find_member(user: Any, *, organization: str, membership_id: uuid.UUID) -> Membership:
    """The membership in the address. Raises Http404 to a stranger."""
    rows = Membership.objects.select_related("organization", "user")
    return get_visible_or_404(rows, user, organization__slug=organization, pk=membership_id)


def find_override(user: Any, *, organization: str, membership_id: uuid.UUID, override: uuid.UUID) -> PermissionOverride:
    """One exception of the member in the address. Raises Http404."""
    member = find_member(user, organization=organization, membership_id=membership_id)
    rows = PermissionOverride.objects.select_related("organization", "user").filter(user=member.user)
    return get_visible_or_404(rows, user, organization=member.organization, pk=override)


def find_assignment(
    user: Any, *, organization: str, membership_id: uuid.UUID, assignment: uuid.UUID
) -> CustomRoleAssignment:
    """One role that the member in the address has. Raises Http404."""
    member = find_member(user, organization=organization, membership_id=membership_id)
    rows = CustomRoleAssignment.objects.select_related("role__organization", "user").filter(user=member.user)
    return get_visible_or_404(rows, user, role__organization=member.organization, pk=assignment)


@require_GET
@require_permission("org.roles.view", find_member)
def person_rights(request: HttpRequest, member: Membership) -> HttpResponse:
    """All that the member may in the organization, or (`?project=`) on one project."""
    return _page(request, member)


@require_POST
@require_permission("org.roles.manage", find_member)
def override_set(request: HttpRequest, member: Membership) -> HttpResponse:
    """Gives or takes one right."""
    form = OverrideForm(request.POST, user=request.user, organization=member.organization)
    if form.is_valid():
        data = form.cleaned_data
        project = data.pop("project")
        try:
            overrides.set_override(
                organization=member.organization,
                user=member.user,
                actor=request.user,
                project_id=project.pk if project else None,
                **data,
            )
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            return _back(request, member, "The exception holds from now on.")
    return _page(request, member, override_form=form)


@require_POST
@require_permission("org.roles.manage", find_override)
def override_remove(request: HttpRequest, override: PermissionOverride) -> HttpResponse:
    """Ends an exception."""
    member = Membership.objects.select_related("organization").get(
        organization=override.organization, user=override.user
    )
    overrides.remove_override(override=override, actor=request.user)
    return _back(request, member, "The exception is over.")


@require_POST
@require_permission("org.roles.manage", find_member)
def role_give(request: HttpRequest, member: Membership) -> HttpResponse:
    """Gives the member one of the organization's own roles."""
    form = GiveRoleForm(request.POST, user=request.user, organization=member.organization)
    if form.is_valid():
        project = form.cleaned_data["project"]
        try:
            custom_roles.give_role(
                role=form.cleaned_data["role"],
                user=member.user,
                actor=request.user,
                project_id=project.pk if project else None,
            )
        except Problem as problem:
            show_problem(form, problem)
        else:
            return _back(request, member, "The role is given.")
    return _page(request, member, role_form=form)


@require_POST
@require_permission("org.roles.manage", find_assignment)
def role_take(request: HttpRequest, assignment: CustomRoleAssignment) -> HttpResponse:
    """Takes one of the organization's own roles from the member."""
    member = Membership.objects.select_related("organization").get(
        organization=assignment.role.organization, user=assignment.user
    )
    custom_roles.take_role(assignment=assignment, actor=request.user)
    return _back(request, member, "The role is taken.")


def _back(request: HttpRequest, member: Membership, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("portal:person_rights", member.organization.slug, member.pk)


def _page(
    request: HttpRequest,
    member: Membership,
    *,
    override_form: OverrideForm | None = None,
    role_form: GiveRoleForm | None = None,
) -> HttpResponse:
    organization = member.organization
    projects = list(Project.objects.visible_to(request.user).filter(organization=organization))
    names = {project.pk: project.name for project in projects}
    chosen = next((one for one in projects if one.slug == request.GET.get("project")), None)
    exceptions = list(PermissionOverride.objects.filter(organization=organization, user=member.user))
    given = CustomRoleAssignment.objects.filter(role__organization=organization, user=member.user)
    has_errors = any(form is not None and form.errors for form in (override_form, role_form))
    may_change = (
        has_permission(request.user, "org.roles.manage", organization)
        and member.user_id != request.user.pk
        and member.role != Role.OWNER
    )
    forms = {"user": request.user, "organization": organization}
    context = {
        "organization": organization,
        "member": member,
        "projects": projects,
        "chosen": chosen,
        "rights": explain(member.user, organization, chosen),
        "overrides": [(one, _place(names, one.on_project)) for one in exceptions],
        "given": [(one, _place(names, one.on_project)) for one in given.select_related("role")],
        "override_form": override_form or OverrideForm(**forms),
        "role_form": role_form or GiveRoleForm(**forms),
        # What was refused is said where it was entered, also to whom no form is offered.
        "may_change": has_errors or may_change,
    }
    return render(request, "orgs/person_rights.html", context, status=422 if has_errors else 200)


def _place(names: dict[uuid.UUID, str], project_id: uuid.UUID | None) -> str:
    if project_id is None:
        return "everywhere"
    return names.get(project_id, "a project that you do not see")
