"""The people and the teams that have a role on one project."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.schema import page_of
from apps.orgs import grants, project_roles
from apps.orgs.models import Membership, Team
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import ProjectRole
from apps.projects.models import Project

MANAGE = "project.members.manage"


class ProjectMemberSerializer(serializers.Serializer):
    """A person's own role on the project, besides those of their teams. Owner, Admins and Viewers of the organization
    see every project without one."""

    member_id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    email = serializers.EmailField()
    display_name = serializers.CharField()
    role = serializers.ChoiceField(ProjectRole.choices)


class ProjectTeamSerializer(serializers.Serializer):
    """A team's role on the project. It is set by `/teams/{id}/projects/{id}`."""

    team_id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(ProjectRole.choices)


class ProjectMemberBody(Body):
    """The person's role on the project."""

    role = serializers.ChoiceField(ProjectRole.choices)


class _ProjectView(ApiView):
    """What the addresses below one project have in common."""

    def project(self, project_id: uuid.UUID) -> Project:
        return self.find(Project.objects.select_related("organization"), MANAGE, pk=project_id)


class ProjectMemberListView(_ProjectView):
    """Who has a role of their own on the project."""

    @extend_schema(parameters=[ListQuery], responses=page_of(ProjectMemberSerializer))
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        project = self.project(project_id)
        roles, _ = grants.roles_on(project)
        people = Membership.objects.filter(organization=project.organization, user__in=roles).select_related("user")
        rows = [_row(one, roles[one.user_id]) for one in people.order_by("user__email", "pk")]
        return self.page(rows, ProjectMemberSerializer, self.read_query(ListQuery))


class ProjectMemberView(_ProjectView):
    """One member's own role on the project."""

    @extend_schema(request=ProjectMemberBody, responses=ProjectMemberSerializer)
    def put(self, request: Request, project_id: uuid.UUID, member_id: uuid.UUID) -> Response:
        """Gives the member this role instead of the one they had."""
        project, member = self._found(project_id, member_id)
        role = self.read_body(ProjectMemberBody)["role"]
        project_roles.set_person_role(user=member.user, project=project, role=role, actor=request.user)
        return self.answer(ProjectMemberSerializer, _row(member, role))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: uuid.UUID, member_id: uuid.UUID) -> Response:
        """Takes it away; harmless for one who has none."""
        project, member = self._found(project_id, member_id)
        project_roles.set_person_role(user=member.user, project=project, role=None, actor=request.user)
        return Response(status=204)

    def _found(self, project_id: uuid.UUID, member_id: uuid.UUID) -> tuple[Project, Membership]:
        project = self.project(project_id)
        members = Membership.objects.filter(organization=project.organization).select_related("user")
        return project, get_visible_or_404(members, self.request.user, pk=member_id)


class ProjectTeamListView(_ProjectView):
    """Which teams have a role on the project."""

    @extend_schema(parameters=[ListQuery], responses=page_of(ProjectTeamSerializer))
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        project = self.project(project_id)
        _, roles = grants.roles_on(project)
        teams = Team.objects.filter(organization=project.organization, group__in=roles).order_by("name", "pk")
        rows = [{"team_id": team.pk, "name": team.name, "role": roles[team.group_id]} for team in teams]
        return self.page(rows, ProjectTeamSerializer, self.read_query(ListQuery))


def _row(member: Membership, role: str) -> dict[str, Any]:
    person = member.user
    names = {"email": person.email, "display_name": person.display_name}
    return {"member_id": member.pk, "user_id": person.pk, **names, "role": role}


_PROJECT = "projects/<uuid:project_id>"
urlpatterns = [
    path(f"{_PROJECT}/members", ProjectMemberListView.as_view(), name="project_members"),
    path(f"{_PROJECT}/members/<uuid:member_id>", ProjectMemberView.as_view(), name="project_member"),
    path(f"{_PROJECT}/teams", ProjectTeamListView.as_view(), name="project_teams"),
]
