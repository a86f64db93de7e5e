"""What an environment is asked to do. Each answers 202 at once, with the task to follow."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, StartedTask, accepted
from apps.api.resources.environments import environments
from apps.deployments import services as deployments
from apps.environments.actions import CONTROL_ACTIONS, PERMISSIONS, destroy_environment, request_action, request_purge
from apps.environments.models import Status
from apps.operations.models import Trigger


class DeployBody(Body):
    """What a deployment may be told."""

    commit = serializers.RegexField(
        r"^[0-9a-f]{7,64}$", required=False, help_text="Of the primary repository; otherwise the branch's newest."
    )
    refresh_image = serializers.BooleanField(default=False, help_text="Ask the registry for a newer image.")


class DestroyBody(Body):
    """A destruction is confirmed by what a person would type."""

    confirmation = serializers.CharField(
        max_length=253, trim_whitespace=False, help_text="The environment's name; of a production one, its host name."
    )
    understood = serializers.BooleanField(default=False, help_text="Must be true for a production environment.")


class DeployView(ApiView):
    """The first deployment, or another one: sixteen steps."""

    @extend_schema(request=DeployBody, responses={202: StartedTask})
    def post(self, request: Request, environment_id: uuid.UUID) -> Response:
        found = self.find(environments(), PERMISSIONS["deploy"], pk=environment_id)
        wanted = self.read_body(DeployBody)
        deployment = deployments.deploy(environment=found, user=request.user, trigger=Trigger.API, **wanted)
        return accepted(deployment.operation)


class ControlView(ApiView):
    """Start, stop, restart, pause, resume; sync reads the true state."""

    action = ""

    @extend_schema(request=None, responses={202: StartedTask})
    def post(self, request: Request, environment_id: uuid.UUID) -> Response:
        found = self.find(environments(), PERMISSIONS[self.action], pk=environment_id)
        operation = request_action(environment=found, action=self.action, user=request.user, trigger=Trigger.API)
        return accepted(operation)


class DestroyView(ApiView):
    """Takes the environment off its server; its data is kept aside for a while."""

    @extend_schema(request=DestroyBody, responses={202: StartedTask})
    def post(self, request: Request, environment_id: uuid.UUID) -> Response:
        found = self.find(environments(), PERMISSIONS["destroy"], pk=environment_id)
        wanted = self.read_body(DestroyBody)
        return accepted(destroy_environment(environment=found, actor=request.user, **wanted))


class PurgeView(ApiView):
    """Removes the data of a destroyed environment before its time."""

    @extend_schema(request=None, responses={202: StartedTask})
    def post(self, request: Request, environment_id: uuid.UUID) -> Response:
        rows = environments().filter(status=Status.DELETED)
        found = self.find(rows, "project.environments.delete", pk=environment_id)
        return accepted(request_purge(environment=found, actor=request.user, trigger=Trigger.API))


_ENVIRONMENT = "environments/<uuid:environment_id>/"
urlpatterns = [
    path(f"{_ENVIRONMENT}deploy", DeployView.as_view(), name="environment_deploy"),
    path(f"{_ENVIRONMENT}destroy", DestroyView.as_view(), name="environment_destroy"),
    path(f"{_ENVIRONMENT}purge", PurgeView.as_view(), name="environment_purge"),
    *(
        path(f"{_ENVIRONMENT}{action}", ControlView.as_view(action=action), name=f"environment_{action}")
        for action in CONTROL_ACTIONS
    ),
]
