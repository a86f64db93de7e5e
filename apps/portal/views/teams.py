"""Teams of an organization: the list, one team with its people and projects."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.orgs import grants, project_roles, teams
from apps.orgs.decorators import require_permission
from apps.orgs.models import Membership, Organization, Team
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import ProjectRole
from apps.portal.rights_forms import TeamForm
from apps.projects.models import Project
from apps.projects.views.shared import show_problem

PAGE_SIZE = 50


def find_team(user: Any, *, organization: str, team: uuid.UUID) -> Team:
    """The team in the address. Raises Http404 to a stranger."""
    rows = Team.objects.select_related("organization", "group")
    return get_visible_or_404(rows, user, organization__slug=organization, pk=team)


def as_uuid(text: str) -> uuid.UUID:
    """An id that a form sent. Raises Http404 for anything else."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error


def chosen_role(request: HttpRequest) -> str | None:
    """The role that a form sent; None to take it away. Raises Http404 for one that does not exist."""
    role = request.POST.get("role", "")
    if role and role not in ProjectRole.values:
        raise Http404
    return role or None


@require_http_methods(["GET", "POST"])
@require_permission("org.teams.list", write="org.teams.manage")
def team_list(request: HttpRequest, found: Organization) -> HttpResponse:
    """All teams with their sizes; a new one."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.create_team(organization=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"The team {team} is made. Choose its people and projects.")
            return redirect("portal:team", found.slug, team.pk)
    rows = Team.objects.filter(organization=found).select_related("group")
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    if words:
        rows = rows.filter(name__icontains=words) | rows.filter(description__icontains=words)
    page = Paginator(rows.annotate(size=Count("group__user")).order_by("name"), PAGE_SIZE)
    page = page.get_page(request.GET.get("page"))
    visible = _visible_projects(request, found)
    by_group: dict[int, list[tuple[Any, str]]] = {}
    for group, project, role in grants.project_roles_of([team.group for team in page]):
        if project in visible:
            by_group.setdefault(group, []).append((visible[project], ProjectRole(role).label))
    for team in page:
        team.projects = sorted(by_group.get(team.group_id, []), key=lambda one: one[0].name)
    context = {"organization": found, "page": page, "form": form, "words": words}
    return render(request, "orgs/teams.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@require_permission("org.teams.list", find_team, write="org.teams.manage")
def team_detail(request: HttpRequest, team: Team) -> HttpResponse:
    """One team: its people, what it may do on which project, its name."""
    form = TeamForm(
        request.POST or None, instance=find_team(request.user, organization=team.organization.slug, team=team.pk)
    )
    if request.method == "POST" and form.is_valid():
        try:
            teams.update_team(team=team, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "The team is changed.")
            return redirect("portal:team", team.organization.slug, team.pk)
    people = team.group.user_set.order_by("email")
    others = Membership.objects.filter(organization=team.organization).exclude(user__in=people)
    visible = _visible_projects(request, team.organization)
    roles = {project: role for _, project, role in grants.project_roles_of([team.group]) if project in visible}
    context = {
        "organization": team.organization,
        "team": team,
        "form": form,
        "people": people,
        "others": others.select_related("user").order_by("user__email"),
        "projects": [(visible[key], role) for key, role in roles.items()],
        "free_projects": [project for key, project in visible.items() if key not in roles],
        "roles": ProjectRole.choices,
    }
    return render(request, "orgs/team.html", context, status=422 if form.errors else 200)


@require_POST
@require_permission("org.teams.manage", find_team)
def team_delete(request: HttpRequest, team: Team) -> HttpResponse:
    """Deletes the team."""
    teams.delete_team(team=team, actor=request.user)
    messages.success(request, f"The team {team} is deleted.")
    return redirect("portal:teams", team.organization.slug)


@require_POST
@require_permission("org.teams.manage", find_team)
def member_add(request: HttpRequest, team: Team) -> HttpResponse:
    """Adds a member of the organization."""
    membership = _chosen_member(request, team)
    teams.add_to_team(team=team, user=membership.user, actor=request.user)
    messages.success(request, f"{membership.user} is in the team {team} now.")
    return redirect("portal:team", team.organization.slug, team.pk)


@require_POST
@require_permission("org.teams.manage", find_team)
def member_remove(request: HttpRequest, team: Team) -> HttpResponse:
    """Takes a member out of the team."""
    membership = _chosen_member(request, team)
    teams.remove_from_team(team=team, user=membership.user, actor=request.user)
    messages.success(request, f"{membership.user} is out of the team {team}.")
    return redirect("portal:team", team.organization.slug, team.pk)


@require_POST
@require_permission("org.teams.manage", find_team)
def project_role(request: HttpRequest, team: Team) -> HttpResponse:
    """Gives the team a role on a project, or takes it off."""
    project = get_visible_or_404(
        Project, request.user, organization=team.organization, pk=as_uuid(request.POST.get("project", ""))
    )
    project_roles.set_team_role(team=team, project=project, role=chosen_role(request), actor=request.user)
    messages.success(request, f"The role of {team} on {project} is changed.")
    return redirect("portal:team", team.organization.slug, team.pk)


def _chosen_member(request: HttpRequest, team: Team) -> Membership:
    rows = Membership.objects.filter(organization=team.organization).select_related("user")
    return get_visible_or_404(rows, request.user, user_id=as_uuid(request.POST.get("person", "")))


def _visible_projects(request: HttpRequest, organization: Organization) -> dict[str, Project]:
    projects = Project.objects.visible_to(request.user).filter(organization=organization)
    return {str(project.pk): project for project in projects.select_related("organization")}
