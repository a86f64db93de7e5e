"""Websocket routes of all apps."""

from __future__ import annotations

websocket_urlpatterns: list = []
