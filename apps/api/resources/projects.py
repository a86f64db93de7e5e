"""Projects."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.schema import page_of
from apps.projects import services
from apps.projects.models import GitCredential, OdooVersion, Project, RegistryAccount


class ProjectSerializer(serializers.ModelSerializer):
    """A project: one Odoo application, whose environments are deployed."""

    organization_id = serializers.UUIDField()
    registry_account_id = serializers.UUIDField(allow_null=True)
    image = serializers.CharField(help_text="Empty: the official image of the version.")
    install_modules = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Project
        fields = (
            "id",
            "organization_id",
            "name",
            "slug",
            "description",
            "odoo_version",
            "image",
            "registry_account_id",
            "default_branch",
            "install_modules",
            "use_platform_repositories",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ProjectSettings(Body):
    """What a person chooses of a project."""

    name = serializers.CharField(max_length=80, required=False)
    description = serializers.CharField(max_length=300, allow_blank=True, required=False)
    odoo_version = serializers.ChoiceField(OdooVersion.choices, required=False)
    image = serializers.CharField(max_length=300, allow_blank=True, required=False)
    registry_account_id = VisibleField(RegistryAccount, allow_null=True, required=False)
    default_branch = serializers.CharField(max_length=200, required=False)
    install_modules = serializers.ListField(child=serializers.CharField(max_length=100), max_length=500, required=False)
    use_platform_repositories = serializers.BooleanField(
        required=False,
        help_text="Whether modules that the platform offers to everybody can be installed. Usually true.",
    )


class NewProject(ProjectSettings):
    """A new project, with its primary repository where an address is given."""

    name = serializers.CharField(max_length=80)
    odoo_version = serializers.ChoiceField(OdooVersion.choices)
    slug = serializers.SlugField(max_length=40, required=False, help_text="Made of the name otherwise.")
    repository_url = serializers.CharField(max_length=500, required=False)
    credential_id = VisibleField(GitCredential, allow_null=True, required=False)


class DeleteBody(Body):
    """What a person would type."""

    confirmation = serializers.CharField(max_length=40, help_text="The project's slug.")


class ProjectListView(ApiView):
    """The projects that the key may see."""

    @extend_schema(parameters=[ListQuery], responses=page_of(ProjectSerializer))
    def get(self, request: Request) -> Response:
        self.require("org.projects.list")
        rows = Project.objects.visible_to(request.user).order_by("name", "pk")
        return self.page(rows, ProjectSerializer, self.read_query(ListQuery))

    @extend_schema(request=NewProject, responses={201: ProjectSerializer})
    def post(self, request: Request) -> Response:
        self.require("org.projects.create")
        wanted = self.read_body(NewProject)
        fields = {"credential_id": "credential", "registry_account_id": "registry_account", "default_branch": "branch"}
        values = {fields.get(name, name): value for name, value in wanted.items()}
        made = services.create_project(organization=self.organization, actor=request.user, **values)
        return self.answer(ProjectSerializer, made, status=201)


class ProjectView(ApiView):
    """One project."""

    @extend_schema(responses=ProjectSerializer)
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        return self.answer(ProjectSerializer, self.find(Project, "project.view", pk=project_id))

    @extend_schema(request=ProjectSettings, responses=ProjectSerializer)
    def patch(self, request: Request, project_id: uuid.UUID) -> Response:
        found = self.find(Project, "project.update", pk=project_id)
        changes = self.read_body(ProjectSettings, partial=True)
        if "registry_account_id" in changes:
            changes["registry_account"] = changes.pop("registry_account_id")
        changed = services.update_project(project=found, actor=request.user, **changes)
        return self.answer(ProjectSerializer, changed)


class ProjectDeleteView(ApiView):
    """Deletes a project of which nothing runs any more."""

    @extend_schema(request=DeleteBody, responses={204: None})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        found = self.find(Project, "project.delete", pk=project_id)
        services.delete_project(project=found, actor=request.user, **self.read_body(DeleteBody))
        return Response(status=204)


urlpatterns = [
    path("projects", ProjectListView.as_view(), name="projects"),
    path("projects/<uuid:project_id>", ProjectView.as_view(), name="project"),
    path("projects/<uuid:project_id>/delete", ProjectDeleteView.as_view(), name="project_delete"),
]
