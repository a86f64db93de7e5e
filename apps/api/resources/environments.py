"""Environments: made, changed, looked at."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, StartedTask, VisibleField, started
from apps.api.schema import page_of
from apps.api.task_access import visible_environments
from apps.environments import allocation, services, states
from apps.environments.capacity import lock_server
from apps.environments.models import Environment, EnvironmentType, PoolMode, Status
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.orgs.quotas import announced, lock_quota
from apps.projects.models import Project
from apps.servers.models import Server

# Their names here, and in our models.
RENAMED = {"env_type": "environment_type", "git_branch": "branch", "server_id": "server"}
ALLOCATED = ("cpu", "memory_megabytes", "disk_megabytes")


class EnvironmentSerializer(serializers.ModelSerializer):
    """An environment."""

    project_id = serializers.UUIDField()
    organization_id = serializers.UUIDField(source="project.organization_id")
    server_id = serializers.UUIDField(allow_null=True)
    env_type = serializers.ChoiceField(EnvironmentType.choices, source="environment_type")
    git_branch = serializers.CharField(source="branch")
    cpu = serializers.FloatField(help_text="Cores.")
    odoo_parameters = serializers.DictField(child=serializers.JSONField(), help_text="Of odoo.conf.")
    postgres_parameters = serializers.DictField(child=serializers.JSONField(), help_text="Of PostgreSQL.")
    pending_changes = serializers.ListField(child=serializers.CharField(), help_text="What a deployment would apply.")
    tuned_fields = serializers.ListField(child=serializers.CharField(), help_text="Numbers that a person chose.")
    allowed_actions = serializers.SerializerMethodField(help_text="What its status allows now.")

    class Meta:
        model = Environment
        fields = (
            "id",
            "project_id",
            "organization_id",
            "server_id",
            "name",
            "slug",
            "env_type",
            "status",
            "status_reason",
            "git_branch",
            "host_name",
            "url",
            "auto_deploy",
            "language",
            "demo_data",
            "cpu",
            "memory_megabytes",
            "disk_megabytes",
            "workers",
            "max_cron_threads",
            "db_maxconn",
            "pool_size",
            "max_connections",
            "tuned_fields",
            "use_pgbouncer",
            "pool_mode",
            "odoo_parameters",
            "postgres_parameters",
            "needs_redeploy",
            "pending_changes",
            "allowed_actions",
            "created_at",
            "updated_at",
            "destroyed_at",
        )
        read_only_fields = fields

    def get_allowed_actions(self, environment: Environment) -> list[str]:
        return sorted(states.ALLOWED_ACTIONS[environment.status])


class EnvironmentQuery(ListQuery):
    """Which environments. Destroyed ones are shown only when their status is asked for."""

    project_id = VisibleField(Project, required=False)
    env_type = serializers.ChoiceField(EnvironmentType.choices, required=False)
    status = serializers.ChoiceField(Status.choices, required=False)


class EnvironmentSettings(Body):
    """What a person chooses of an environment. Numbers that are null are derived from the allocation."""

    name = serializers.CharField(max_length=80, required=False)
    server_id = VisibleField(Server, required=False, allow_null=True)
    git_branch = serializers.CharField(max_length=200, required=False)
    auto_deploy = serializers.BooleanField(required=False)
    cpu = serializers.DecimalField(
        5, 2, min_value=allocation.MINIMUM_CPU, max_value=Decimal(128), coerce_to_string=False, required=False
    )
    memory_megabytes = serializers.IntegerField(
        min_value=allocation.MINIMUM_MEMORY_MEGABYTES, max_value=1024 * 1024, required=False
    )
    disk_megabytes = serializers.IntegerField(
        min_value=allocation.MINIMUM_DISK_MEGABYTES, max_value=64 * 1024 * 1024, required=False
    )
    workers = serializers.IntegerField(
        min_value=0, max_value=allocation.MAXIMUM_WORKERS, allow_null=True, required=False
    )
    max_cron_threads = serializers.IntegerField(min_value=0, max_value=16, allow_null=True, required=False)
    db_maxconn = serializers.IntegerField(min_value=2, max_value=512, allow_null=True, required=False)
    pool_size = serializers.IntegerField(min_value=5, max_value=2000, allow_null=True, required=False)
    max_connections = serializers.IntegerField(min_value=20, max_value=5000, allow_null=True, required=False)
    use_pgbouncer = serializers.BooleanField(required=False)
    pool_mode = serializers.ChoiceField(PoolMode.choices, required=False)
    odoo_parameters = serializers.DictField(child=serializers.CharField(max_length=1000), required=False)
    postgres_parameters = serializers.DictField(child=serializers.CharField(max_length=1000), required=False)

    def values(self, data: dict[str, Any]) -> dict[str, Any]:
        """With the names of our models."""
        return {RENAMED.get(name, name): value for name, value in data.items()}


class NewEnvironment(EnvironmentSettings):
    """A new environment. Everything but project and type has a default; with a server it is deployed at once."""

    project_id = VisibleField(Project, is_place=True)
    env_type = serializers.ChoiceField(EnvironmentType.choices)
    language = serializers.RegexField(r"^[a-z]{2,3}(_[A-Z]{2})?$", required=False)
    demo_data = serializers.BooleanField(required=False)
    deploy = serializers.BooleanField(
        required=False, help_text="Queue the first deployment; by default, where a server was chosen."
    )


class CreatedEnvironment(EnvironmentSerializer):
    """A new environment, with its first deployment where that was queued."""

    task = StartedTask(allow_null=True)

    class Meta(EnvironmentSerializer.Meta):
        fields = (*EnvironmentSerializer.Meta.fields, "task")
        read_only_fields = fields


class ResizedEnvironment(CreatedEnvironment):
    """The environment as it is set now, with the task that resizes its running containers."""


def environments() -> Any:
    """With what a row shows."""
    return Environment.objects.select_related("project__organization", "server")


class EnvironmentListView(ApiView):
    """The environments that the key may see."""

    @extend_schema(parameters=[EnvironmentQuery], responses=page_of(EnvironmentSerializer))
    def get(self, request: Request) -> Response:
        self.require("org.view")
        query = self.read_query(EnvironmentQuery)
        rows = visible_environments(environments().without_secrets(), request.user, self.organization)
        rows = rows.order_by("created_at", "pk")
        rows = rows.filter(status=query["status"]) if "status" in query else rows.existing()
        if "project_id" in query:
            rows = rows.filter(project=query["project_id"])
        if "env_type" in query:
            rows = rows.filter(environment_type=query["env_type"])
        return self.page(rows, EnvironmentSerializer, query)

    @extend_schema(request=NewEnvironment, responses={201: CreatedEnvironment})
    def post(self, request: Request) -> Response:
        data = self.read_body(NewEnvironment)
        project = data.pop("project_id")
        self.require("project.environments.create", project)
        deploy = data.pop("deploy", data.get("server_id") is not None)
        if deploy:
            self.require("project.environments.deploy", project)
        values = NewEnvironment().values(data)
        made = services.create_environment(project=project, actor=request.user, deploy=deploy, **values)
        return self.answer(CreatedEnvironment, with_task(environments().get(pk=made.pk)), status=201)


class EnvironmentView(ApiView):
    """One environment."""

    @extend_schema(responses=EnvironmentSerializer)
    def get(self, request: Request, environment_id: uuid.UUID) -> Response:
        found = self.find(environments(), "project.environments.view", pk=environment_id)
        return self.answer(EnvironmentSerializer, found)

    @extend_schema(request=EnvironmentSettings, responses=ResizedEnvironment)
    def patch(self, request: Request, environment_id: uuid.UUID) -> Response:
        """Settings wait for the next deployment; CPU and memory change at once, by `task`."""
        found = self.find(environments(), "project.environments.update", pk=environment_id)
        changes = EnvironmentSettings().values(self.read_body(EnvironmentSettings, partial=True))
        size = {name: changes.pop(name, getattr(found, name)) for name in ALLOCATED}
        operation = _change(found, request.user, changes, size)
        fresh = environments().get(pk=found.pk)
        fresh.task = started(operation) if operation else None
        return self.answer(ResizedEnvironment, fresh)


@announced
@transaction.atomic
def _change(environment: Environment, actor: Any, changes: dict[str, Any], size: dict[str, Any]) -> Operation | None:
    """All of it or nothing. The locks are taken in the order of the services: quota, server, environment."""
    is_resized = any(size[name] != getattr(environment, name) for name in ALLOCATED)
    if is_resized:
        lock_quota(environment.project.organization, for_something_new=False)
        if environment.server is not None:
            lock_server(environment.server)
    if changes:
        environment = services.update_environment(environment=environment, actor=actor, **changes)
    return services.resize(environment=environment, actor=actor, **size) if is_resized else None


def with_task(environment: Environment) -> Environment:
    """With the operation that is under way on it, if any, as its `task`."""
    operation = operations.active_for(environment.lock_key)
    environment.task = started(operation) if operation else None
    return environment


urlpatterns = [
    path("environments", EnvironmentListView.as_view(), name="environments"),
    path("environments/<uuid:environment_id>", EnvironmentView.as_view(), name="environment"),
]
