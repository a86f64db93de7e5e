"""The websocket of one operation: it says that there is something new, never what."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from apps.operations import access
from apps.operations.announce import group_of, group_of_person, message_for
from apps.operations.models import Operation

# Close codes from 4000 on are the application's: the page does not try again after these.
NOT_ALLOWED = 4403


class OperationConsumer(AsyncJsonWebsocketConsumer):
    """`/ws/operations/{id}/` sends `{"sequence": N, "version": V, "status": …}` when it is opened and whenever these
    grow. Rights (and the session) are checked when it is opened, when the person's rights change, and every 30 s; a
    stranger's is refused, one whose right is gone is closed with code 4403. What comes from the browser is ignored."""

    async def connect(self) -> None:
        self.operation_id = self.scope["url_route"]["kwargs"]["operation_id"]
        self.groups_joined: list[str] = []
        self.checking: asyncio.Task[None] | None = None
        user = self.scope["user"]
        if not user.is_authenticated or not await self._may_look():
            await self.close(code=NOT_ALLOWED)
            return
        for group in (group_of(self.operation_id), group_of_person(user.pk)):
            await self.channel_layer.group_add(group, self.channel_name)
            self.groups_joined.append(group)
        await self.accept()
        await self._send_state()
        self.checking = asyncio.create_task(self._check_regularly())

    async def disconnect(self, code: int) -> None:
        if self.checking is not None:
            self.checking.cancel()
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **details: Any) -> None:
        """Nothing is expected from the browser."""

    async def operation_changed(self, event: dict[str, Any]) -> None:
        """An announcement."""
        await self.send_json({name: event[name] for name in ("sequence", "version", "status")})

    async def rights_changed(self, event: dict[str, Any]) -> None:
        """The person's rights may have changed."""
        await self._close_unless_allowed()

    async def _check_regularly(self) -> None:
        while True:
            await asyncio.sleep(settings.OPERATION_RIGHTS_CHECK_SECONDS)
            if not await self._close_unless_allowed():
                return
            # Whatever announcement was lost (Redis restarted), this makes up for it.
            await self._send_state()

    async def _close_unless_allowed(self) -> bool:
        allowed = await self._may_look()
        if not allowed:
            with contextlib.suppress(RuntimeError):  # the browser was faster
                await self.close(code=NOT_ALLOWED)
        return allowed

    async def _may_look(self) -> bool:
        """Asks with the session and the person as they are stored now."""
        session = await self._stored_session()
        user = await get_user({"session": session})
        return user.is_authenticated and await database_sync_to_async(access.may_view)(user, self.operation_id)

    @database_sync_to_async
    def _stored_session(self) -> SessionBase:
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(self.scope["session"].session_key)
        session.load()
        return session

    async def _send_state(self) -> None:
        operation = await Operation.objects.filter(pk=self.operation_id).afirst()
        if operation is not None:
            await self.operation_changed(message_for(operation))
