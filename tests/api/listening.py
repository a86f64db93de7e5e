"""Listening to event streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from django.test import AsyncClient

from tests.api.conftest import PREFIX, Program


class Listener:
    """A client of one stream."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self._parts: AsyncIterator[bytes] = aiter(response.streaming_content)

    @classmethod
    async def open(cls, program: Program, path: str, **headers: str) -> Listener:
        sent = {"Authorization": f"Bearer {program.text}"} | headers
        return cls(await AsyncClient().get(f"{PREFIX}{path}", headers=sent))

    async def part(self, seconds: float = 5) -> str:
        """The next thing that comes over the wire."""
        part = await asyncio.wait_for(anext(self._parts), seconds)
        return part.decode() if isinstance(part, bytes) else part

    async def event(self, name: str = "") -> dict[str, Any]:
        """The next event (of that name), as `{id, event, data}`."""
        while True:
            fields = dict(line.split(": ", 1) for line in (await self.part()).strip().splitlines())
            if "event" in fields and name in ("", fields["event"]):
                return fields | {"data": json.loads(fields["data"])}

    async def close(self) -> None:
        """The client goes away: the server cancels whoever waits for the next part."""
        waiting = asyncio.create_task(anext(self._parts))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
            await waiting
