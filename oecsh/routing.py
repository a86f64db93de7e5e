"""Websocket routes of all apps."""

from __future__ import annotations

from django.urls import path

from apps.environments.consumers import EnvironmentLogConsumer
from apps.operations.consumers import OperationConsumer

websocket_urlpatterns: list = [
    path("ws/operations/<uuid:operation_id>/", OperationConsumer.as_asgi()),
    path("ws/environments/<uuid:environment_id>/log/", EnvironmentLogConsumer.as_asgi()),
]
