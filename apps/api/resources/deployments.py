"""Deployments of an environment."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, ListQuery, StartedTask, accepted
from apps.api.resources.environments import environments
from apps.api.schema import page_of
from apps.deployments import history, services
from apps.deployments.models import Deployment, DeploymentStatus, Trigger

VIEW = "project.deployments.view"


class DeploymentSerializer(serializers.ModelSerializer):
    """One attempt to bring an environment to a release. Its steps and its log are those of its task."""

    environment_id = serializers.UUIDField()
    task_id = serializers.UUIDField(source="operation_id")
    status = serializers.ChoiceField(DeploymentStatus.choices)
    git_branch = serializers.CharField(source="branch")
    triggered_by = serializers.SerializerMethodField()
    release = serializers.IntegerField(source="release.number", allow_null=True, default=None)
    started_at = serializers.DateTimeField(source="operation.started_at", allow_null=True)
    finished_at = serializers.DateTimeField(source="operation.finished_at", allow_null=True)
    duration = serializers.FloatField(source="operation.seconds", allow_null=True, help_text="Seconds.")

    class Meta:
        model = Deployment
        fields = (
            "id",
            "environment_id",
            "number",
            "task_id",
            "status",
            "trigger",
            "triggered_by",
            "git_branch",
            "commit",
            "commit_subject",
            "release",
            "is_first",
            "created_at",
            "started_at",
            "finished_at",
            "duration",
        )
        read_only_fields = fields

    def get_triggered_by(self, deployment: Deployment) -> str:
        return str(deployment.triggered_by or "")


class DeploymentQuery(ListQuery):
    """Which deployments."""

    status = serializers.ChoiceField(list(history.FILTERS), required=False)
    trigger = serializers.ChoiceField(Trigger.choices, required=False)


class DeploymentListView(ApiView):
    """The deployments of an environment, the newest first."""

    @extend_schema(parameters=[DeploymentQuery], responses=page_of(DeploymentSerializer))
    def get(self, request: Request, environment_id: uuid.UUID) -> Response:
        environment = self.find(environments(), VIEW, pk=environment_id)
        query = self.read_query(DeploymentQuery)
        chosen = {name: query[name] for name in ("status", "trigger") if name in query}
        rows = history.rows_of(history.history(environment)).visible_to(request.user)
        rows = history.narrowed(rows, **chosen)
        return self.page(rows, DeploymentSerializer, query)


class DeploymentView(ApiView):
    """One deployment."""

    @extend_schema(responses=DeploymentSerializer)
    def get(self, request: Request, deployment_id: uuid.UUID) -> Response:
        rows = Deployment.objects.select_related(
            "operation", "release", "triggered_by", "environment__project__organization"
        )
        return self.answer(DeploymentSerializer, self.find(rows, VIEW, pk=deployment_id))


class DeploymentRetryView(ApiView):
    """The same configuration once more, as a new deployment; only of a failed one."""

    @extend_schema(request=None, responses={202: StartedTask})
    def post(self, request: Request, deployment_id: uuid.UUID) -> Response:
        rows = Deployment.objects.select_related("operation", "environment__project__organization")
        found = self.find(rows, VIEW, pk=deployment_id)
        self.require("project.environments.deploy", found.environment)
        return accepted(services.retry(deployment=found, user=request.user).operation)


urlpatterns = [
    path("environments/<uuid:environment_id>/deployments", DeploymentListView.as_view(), name="deployments"),
    path("deployments/<uuid:deployment_id>", DeploymentView.as_view(), name="deployment"),
    path("deployments/<uuid:deployment_id>/retry", DeploymentRetryView.as_view(), name="deployment_retry"),
]
