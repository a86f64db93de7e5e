"""The people and teams of one project."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.orgs import grants, project_roles
from apps.orgs.decorators import require_permission
from apps.orgs.models import Membership, Team
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import SEES_ALL_PROJECTS, ProjectRole
from apps.portal.views.teams import as_uuid, chosen_role
from apps.projects.models import Project


def find_project(user: Any, *, organization: str, project: str) -> Project:
    """The project in the address. Raises Http404 to whoever does not reach it."""
    rows = Project.objects.select_related("organization")
    return get_visible_or_404(rows, user, organization__slug=organization, slug=project)


@require_GET
@require_permission("project.members.manage", find_project)
def people(request: HttpRequest, project: Project) -> HttpResponse:
    """Who has a role on the project, themselves or through a team, and who sees it without one."""
    persons, groups = grants.roles_on(project)
    members = Membership.objects.filter(organization=project.organization).select_related("user")
    teams = Team.objects.filter(organization=project.organization).select_related("group")
    members, teams = list(members.order_by("user__email")), list(teams)
    context = {
        "organization": project.organization,
        "project": project,
        "people": [(one, persons[one.user_id]) for one in members if one.user_id in persons],
        "other_people": [one for one in members if one.user_id not in persons],
        "teams": [(team, groups[team.group_id]) for team in teams if team.group_id in groups],
        "other_teams": [team for team in teams if team.group_id not in groups],
        "everywhere": [one for one in members if one.role in SEES_ALL_PROJECTS],
        "roles": ProjectRole.choices,
    }
    return render(request, "orgs/project_members.html", context)


@require_POST
@require_permission("project.members.manage", find_project)
def person_role(request: HttpRequest, project: Project) -> HttpResponse:
    """Gives a member a role on the project, or takes it away."""
    rows = Membership.objects.filter(organization=project.organization).select_related("user")
    membership = get_visible_or_404(rows, request.user, user_id=as_uuid(request.POST.get("person", "")))
    project_roles.set_person_role(user=membership.user, project=project, role=chosen_role(request), actor=request.user)
    return _back(request, project, str(membership.user))


@require_POST
@require_permission("project.members.manage", find_project)
def team_role(request: HttpRequest, project: Project) -> HttpResponse:
    """Gives a team a role on the project, or takes it off."""
    teams = Team.objects.filter(organization=project.organization).select_related("group")
    team = get_visible_or_404(teams, request.user, pk=as_uuid(request.POST.get("team", "")))
    project_roles.set_team_role(team=team, project=project, role=chosen_role(request), actor=request.user)
    return _back(request, project, str(team))


def _back(request: HttpRequest, project: Project, who: str) -> HttpResponse:
    messages.success(request, f"The role of {who} on {project} is changed.")
    if not request.user.has_perm("project.members.manage", project):
        return redirect("portal:home")
    return redirect("portal:project_members", project.organization.slug, project.slug)
