"""Repositories of a project."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.schema import page_of
from apps.projects import services
from apps.projects.models import GitCredential, Project, Repository

MANAGE = "project.repos.manage"


class RepositorySerializer(serializers.ModelSerializer):
    """A repository: the project's own modules, shared ones, or Odoo Enterprise."""

    project_id = serializers.UUIDField()
    credential_id = serializers.UUIDField(allow_null=True)
    default_branch = serializers.CharField(source="branch")
    branch_map = serializers.DictField(child=serializers.CharField(), help_text="Branches by type of environment.")

    class Meta:
        model = Repository
        fields = (
            "id",
            "project_id",
            "kind",
            "name",
            "slug",
            "url",
            "default_branch",
            "branch_map",
            "credential_id",
            "priority",
            "subdirectory",
            "last_fetched_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class BranchMap(Body):
    """A branch for each type of environment; a type that is absent uses the default branch."""

    development = serializers.CharField(max_length=200, required=False)
    staging = serializers.CharField(max_length=200, required=False)
    production = serializers.CharField(max_length=200, required=False)


class RepositorySettings(Body):
    """What a person chooses of a repository."""

    name = serializers.CharField(max_length=80, required=False)
    url = serializers.CharField(max_length=500, required=False)
    default_branch = serializers.CharField(max_length=200, required=False)
    branch_map = BranchMap(required=False)
    credential_id = VisibleField(GitCredential, allow_null=True, required=False)
    priority = serializers.IntegerField(min_value=0, max_value=9999, required=False)
    subdirectory = serializers.CharField(max_length=200, allow_blank=True, required=False)

    def values(self, data: dict[str, Any]) -> dict[str, Any]:
        """With the names of our models."""
        renamed = {"default_branch": "branch", "credential_id": "credential"}
        return {renamed.get(name, name): value for name, value in data.items()}


class NewRepository(RepositorySettings):
    """A repository to be added."""

    kind = serializers.ChoiceField(Repository.Kind.choices)
    url = serializers.CharField(max_length=500)
    default_branch = serializers.CharField(max_length=200)


class BranchSerializer(serializers.Serializer):
    """A branch as the Git server has it now."""

    name = serializers.CharField()
    commit = serializers.CharField()


class BranchesSerializer(serializers.Serializer):
    """All branches."""

    branches = BranchSerializer(many=True)


class RepositoryListView(ApiView):
    """The repositories of a project."""

    @extend_schema(parameters=[ListQuery], responses=page_of(RepositorySerializer))
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        project = self.find(Project, "project.view", pk=project_id)
        rows = Repository.objects.visible_to(request.user).filter(project=project).order_by("kind", "priority", "slug")
        return self.page(rows, RepositorySerializer, self.read_query(ListQuery))

    @extend_schema(request=NewRepository, responses={201: RepositorySerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        project = self.find(Project, MANAGE, pk=project_id)
        values = NewRepository().values(self.read_body(NewRepository))
        made = services.add_repository(project=project, actor=request.user, **values)
        return self.answer(RepositorySerializer, made, status=201)


class RepositoryView(ApiView):
    """One repository."""

    @extend_schema(responses=RepositorySerializer)
    def get(self, request: Request, repository_id: uuid.UUID) -> Response:
        return self.answer(RepositorySerializer, self._found("project.view", repository_id))

    @extend_schema(request=RepositorySettings, responses=RepositorySerializer)
    def patch(self, request: Request, repository_id: uuid.UUID) -> Response:
        found = self._found(MANAGE, repository_id)
        changes = RepositorySettings().values(self.read_body(RepositorySettings, partial=True))
        return self.answer(
            RepositorySerializer, services.update_repository(repository=found, actor=request.user, **changes)
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, repository_id: uuid.UUID) -> Response:
        """What runs keeps its files until the next deployment."""
        services.remove_repository(repository=self._found(MANAGE, repository_id), actor=request.user)
        return Response(status=204)

    def _found(self, code: str, repository_id: uuid.UUID) -> Repository:
        return self.find(Repository.objects.select_related("project"), code, pk=repository_id)


class RepositoryBranchesView(ApiView):
    """The branches, asked of the Git server now."""

    @extend_schema(responses=BranchesSerializer)
    def get(self, request: Request, repository_id: uuid.UUID) -> Response:
        rows = Repository.objects.select_related("project", "credential")
        found = self.find(rows, "project.view", pk=repository_id)
        branches = services.check_repository(url=found.url, credential=found.credential)
        return self.answer(BranchesSerializer, {"branches": branches})


urlpatterns = [
    path("projects/<uuid:project_id>/repositories", RepositoryListView.as_view(), name="repositories"),
    path("repositories/<uuid:repository_id>", RepositoryView.as_view(), name="repository"),
    path("repositories/<uuid:repository_id>/branches", RepositoryBranchesView.as_view(), name="repository_branches"),
]
