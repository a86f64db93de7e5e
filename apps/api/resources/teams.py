"""Teams: people who get a role on projects together."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.schema import page_of
from apps.orgs import grants, project_roles, teams
from apps.orgs.models import Colour, Membership, Team
from apps.orgs.roles import ProjectRole
from apps.projects.models import Project

LIST, MANAGE = "org.teams.list", "org.teams.manage"


class TeamMember(serializers.Serializer):
    """A person in a team."""

    user_id = serializers.UUIDField(source="pk")
    email = serializers.EmailField()
    display_name = serializers.CharField()


class TeamProject(serializers.Serializer):
    """What the team is on one project."""

    project_id = serializers.UUIDField()
    role = serializers.ChoiceField(ProjectRole.choices)


class TeamSummarySerializer(serializers.ModelSerializer):
    """A team as lists show it."""

    class Meta:
        model = Team
        fields = ("id", "name", "description", "colour", "created_at", "updated_at")
        read_only_fields = fields


class TeamSerializer(TeamSummarySerializer):
    """A team with its people and its projects."""

    members = serializers.SerializerMethodField()
    projects = serializers.SerializerMethodField()

    class Meta(TeamSummarySerializer.Meta):
        fields = (*TeamSummarySerializer.Meta.fields, "members", "projects")
        read_only_fields = fields

    @extend_schema_field(TeamMember(many=True))
    def get_members(self, team: Team) -> list[dict[str, Any]]:
        return TeamMember(team.group.user_set.order_by("email"), many=True).data

    @extend_schema_field(TeamProject(many=True))
    def get_projects(self, team: Team) -> list[dict[str, Any]]:
        """Those that the key may see."""
        roles = {project: role for _, project, role in grants.project_roles_of([team.group])}
        seen = (
            Project.objects.visible_to(self.context["request"].user).filter(pk__in=roles).values_list("pk", flat=True)
        )
        return TeamProject([{"project_id": pk, "role": roles[str(pk)]} for pk in seen], many=True).data


class TeamBody(Body):
    """What a person chooses of a team."""

    name = serializers.CharField(max_length=60)
    description = serializers.CharField(max_length=300, allow_blank=True, required=False)
    colour = serializers.ChoiceField(Colour.choices, required=False)


class TeamProjectBody(Body):
    """The team's role on a project."""

    role = serializers.ChoiceField(ProjectRole.choices)


def _teams() -> Any:
    return Team.objects.select_related("group", "organization")


class TeamListView(ApiView):
    """The organization's teams."""

    @extend_schema(parameters=[ListQuery], responses=page_of(TeamSummarySerializer))
    def get(self, request: Request) -> Response:
        self.require(LIST)
        rows = Team.objects.visible_to(request.user).order_by("name", "pk")
        return self.page(rows, TeamSummarySerializer, self.read_query(ListQuery))

    @extend_schema(request=TeamBody, responses={201: TeamSerializer})
    def post(self, request: Request) -> Response:
        self.require(MANAGE)
        wanted = self.read_body(TeamBody)
        made = teams.create_team(organization=self.organization, actor=request.user, **wanted)
        return self.answer(TeamSerializer, made, status=201)


class TeamView(ApiView):
    """One team."""

    @extend_schema(responses=TeamSerializer)
    def get(self, request: Request, team_id: uuid.UUID) -> Response:
        return self.answer(TeamSerializer, self.find(_teams(), LIST, pk=team_id))

    @extend_schema(request=TeamBody, responses=TeamSerializer)
    def patch(self, request: Request, team_id: uuid.UUID) -> Response:
        found = self.find(_teams(), MANAGE, pk=team_id)
        now = {name: getattr(found, name) for name in ("name", "description", "colour")}
        changes = self.read_body(TeamBody, partial=True)
        return self.answer(TeamSerializer, teams.update_team(team=found, actor=request.user, **(now | changes)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, team_id: uuid.UUID) -> Response:
        """Its members keep what they have from elsewhere."""
        teams.delete_team(team=self.find(_teams(), MANAGE, pk=team_id), actor=request.user)
        return Response(status=204)


class TeamMemberView(ApiView):
    """A member of the organization in a team."""

    @extend_schema(request=None, responses=TeamSerializer)
    def put(self, request: Request, team_id: uuid.UUID, member_id: uuid.UUID) -> Response:
        """Joins; harmless for one who is in it."""
        return self._change(teams.add_to_team, team_id, member_id)

    @extend_schema(responses={200: TeamSerializer})
    def delete(self, request: Request, team_id: uuid.UUID, member_id: uuid.UUID) -> Response:
        """Leaves; harmless for one who is not in it."""
        return self._change(teams.remove_from_team, team_id, member_id)

    def _change(self, change: Callable[..., None], team_id: uuid.UUID, member_id: uuid.UUID) -> Response:
        team = self.find(_teams(), MANAGE, pk=team_id)
        member = self.find(Membership.objects.select_related("user", "organization"), LIST, pk=member_id)
        change(team=team, user=member.user, actor=self.request.user)
        return self.answer(TeamSerializer, team)


class TeamProjectView(ApiView):
    """What a team is on a project. It needs `project.members.manage` there."""

    @extend_schema(request=TeamProjectBody, responses=TeamSerializer)
    def put(self, request: Request, team_id: uuid.UUID, project_id: uuid.UUID) -> Response:
        """Gives the team this role instead of the one it had."""
        team, project = self._found(team_id, project_id)
        return self._set(team, project, self.read_body(TeamProjectBody)["role"])

    @extend_schema(responses={200: TeamSerializer})
    def delete(self, request: Request, team_id: uuid.UUID, project_id: uuid.UUID) -> Response:
        """Takes the team off the project."""
        return self._set(*self._found(team_id, project_id), None)

    def _found(self, team_id: uuid.UUID, project_id: uuid.UUID) -> tuple[Team, Project]:
        project = self.find(Project.objects.select_related("organization"), "project.members.manage", pk=project_id)
        return self.find(_teams(), LIST, pk=team_id), project

    def _set(self, team: Team, project: Project, role: str | None) -> Response:
        project_roles.set_team_role(team=team, project=project, role=role, actor=self.request.user)
        return self.answer(TeamSerializer, team)


_TEAM = "teams/<uuid:team_id>"
urlpatterns = [
    path("teams", TeamListView.as_view(), name="teams"),
    path(_TEAM, TeamView.as_view(), name="team"),
    path(f"{_TEAM}/members/<uuid:member_id>", TeamMemberView.as_view(), name="team_member"),
    path(f"{_TEAM}/projects/<uuid:project_id>", TeamProjectView.as_view(), name="team_project"),
]
