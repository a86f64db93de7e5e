"""Websockets whose rights are checked when they are opened and for as long as they live."""

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

from apps.operations.announce import group_of_person
from apps.orgs.second_factor import keep_out

# Close codes from 4000 on are the application's: the page does not try again after these.
NOT_ALLOWED = 4403


class GuardedConsumer(AsyncJsonWebsocketConsumer):
    """Rights (and the session) are checked when it is opened, when the person's rights change, and every
    OPERATION_RIGHTS_CHECK_SECONDS; a stranger's is refused, one whose right is gone is closed with code 4403. What
    comes from the browser is ignored.

    A subclass says `may_view(user)` (called in a thread, may ask the database), which `groups_to_join`, and what it
    does when it `opened`, at each check (`checked`) and at the end (`closed`).
    """

    def may_view(self, user: Any) -> bool:
        """True while this person may look at what the address names; nobody may unless a subclass says so."""
        return False

    def groups_to_join(self) -> list[str]:
        """Channel groups besides the person's own."""
        return []

    async def opened(self) -> None:
        """The browser is connected and may look."""

    async def checked(self) -> None:
        """The rights were checked again, and are there."""

    async def closed(self) -> None:
        """The browser is gone, or was sent away; also called when it was never let in."""

    async def connect(self) -> None:
        self.groups_joined: list[str] = []
        self.checking: asyncio.Task[None] | None = None
        user = self.scope["user"]
        if not user.is_authenticated or not await self._is_allowed():
            await self.close(code=NOT_ALLOWED)
            return
        for group in (*self.groups_to_join(), group_of_person(user.pk)):
            await self.channel_layer.group_add(group, self.channel_name)
            self.groups_joined.append(group)
        await self.accept()
        await self.opened()
        self.checking = asyncio.create_task(self._check_regularly())

    async def disconnect(self, code: int) -> None:
        if self.checking is not None:
            self.checking.cancel()
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)
        await self.closed()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **details: Any) -> None:
        """Nothing is expected from the browser."""

    async def rights_changed(self, event: dict[str, Any]) -> None:
        """The person's rights may have changed."""
        await self._close_unless_allowed()

    async def _check_regularly(self) -> None:
        while True:
            await asyncio.sleep(settings.OPERATION_RIGHTS_CHECK_SECONDS)
            if not await self._close_unless_allowed():
                return
            await self.checked()

    async def _close_unless_allowed(self) -> bool:
        allowed = await self._is_allowed()
        if not allowed:
            with contextlib.suppress(RuntimeError):  # the browser was faster
                await self.close(code=NOT_ALLOWED)
        return allowed

    async def _is_allowed(self) -> bool:
        """Asks with the session and the person as they are stored now."""
        session = await self._stored_session()
        user = await get_user({"session": session})
        return user.is_authenticated and await database_sync_to_async(self._may_enter_and_view)(user)

    def _may_enter_and_view(self, user: Any) -> bool:
        keep_out(user)
        return self.may_view(user)

    @database_sync_to_async
    def _stored_session(self) -> SessionBase:
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(self.scope["session"].session_key)
        session.load()
        return session
