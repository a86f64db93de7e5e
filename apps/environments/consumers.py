"""The websocket of an environment's log: it says that Odoo wrote something, never what."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from channels.db import database_sync_to_async

from apps.core.exceptions import Problem
from apps.environments.log_watch import watch
from apps.environments.models import Environment
from apps.operations.guarded import GuardedConsumer
from apps.orgs.access import has_permission

PERMISSION = "project.environments.logs.view"


class EnvironmentLogConsumer(GuardedConsumer):
    """`/ws/environments/{id}/log/` sends `{"new": true}` when there are new lines; the page fetches them."""

    leave: Callable[[], None] | None = None
    telling: asyncio.Task[None] | None = None

    def may_view(self, user: Any) -> bool:
        environment = self._environment(user)
        return environment is not None and has_permission(user, PERMISSION, environment)

    async def opened(self) -> None:
        self.news = asyncio.Event()
        self.telling = asyncio.create_task(self._tell())
        loop = asyncio.get_running_loop()
        environment = await database_sync_to_async(self._environment)(self.scope["user"])
        if environment is None or environment.server is None:
            return

        def listener() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is over: so is the page
                loop.call_soon_threadsafe(self.news.set)

        # A server that cannot be reached at all is told by the lines that the page asks for.
        with contextlib.suppress(Problem):
            self.leave = await database_sync_to_async(watch)(environment, listener)

    async def closed(self) -> None:
        if self.telling is not None:
            self.telling.cancel()
        if self.leave is not None:
            leave, self.leave = self.leave, None
            await asyncio.to_thread(leave)

    async def _tell(self) -> None:
        while True:
            await self.news.wait()
            self.news.clear()
            await self.send_json({"new": True})

    def _environment(self, user: Any) -> Environment | None:
        identifier = self.scope["url_route"]["kwargs"]["environment_id"]
        environments = Environment.objects.existing().select_related("server__ssh_key", "project")
        return environments.visible_to(user).filter(pk=identifier).first()
