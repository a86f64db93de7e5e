"""A browser's end of a websocket. (channels.testing would need daphne, which nothing else here does.)"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.test import Client

from oecsh.routing import websocket_urlpatterns

application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


class Socket:
    """One connection, with the session of a client."""

    def __init__(self, path: str, client: Client | None = None) -> None:
        headers = []
        if client is not None:
            cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
            headers = [(b"cookie", cookie.encode())]
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
        self._communicator = ApplicationCommunicator(application, scope)

    async def connect(self) -> int | None:
        """None when it is accepted, otherwise the code with which it is closed."""
        await self._communicator.send_input({"type": "websocket.connect"})
        answer = await self._communicator.receive_output(timeout=5)
        return None if answer["type"] == "websocket.accept" else answer["code"]

    async def receive(self, timeout: float = 5) -> dict[str, Any]:
        """The next message; fails when it is closed instead."""
        answer = await self._communicator.receive_output(timeout=timeout)
        assert answer["type"] == "websocket.send", answer
        return json.loads(answer["text"])

    async def is_silent(self, seconds: float) -> bool:
        return await self._communicator.receive_nothing(timeout=seconds)

    async def close_code(self, seconds: float) -> int:
        """The code with which it is closed within so many seconds, whatever is announced before."""
        async with asyncio.timeout(seconds):
            while True:
                answer = await self._communicator.receive_output(timeout=seconds)
                if answer["type"] == "websocket.close":
                    return answer["code"]

    async def send(self, **message: Any) -> None:
        await self._communicator.send_input({"type": "websocket.receive", **message})

    async def disconnect(self) -> None:
        await self._communicator.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._communicator.wait(timeout=5)
