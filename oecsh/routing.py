"""Websocket routes of all apps."""

from __future__ import annotations

from django.urls import path

from apps.operations.consumers import OperationConsumer

websocket_urlpatterns: list = [
    path("ws/operations/<uuid:operation_id>/", OperationConsumer.as_asgi()),
]
