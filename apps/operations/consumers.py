"""The websocket of one operation: it says that there is something new, never what."""

from __future__ import annotations

from typing import Any

from apps.operations import access
from apps.operations.announce import group_of, message_for
from apps.operations.guarded import GuardedConsumer
from apps.operations.models import Operation


class OperationConsumer(GuardedConsumer):
    """`/ws/operations/{id}/` sends `{"sequence": N, "version": V, "status": …}` when it is opened and whenever these
    grow."""

    @property
    def operation_id(self) -> Any:
        return self.scope["url_route"]["kwargs"]["operation_id"]

    def may_view(self, user: Any) -> bool:
        return access.may_view(user, self.operation_id)

    def groups_to_join(self) -> list[str]:
        return [group_of(self.operation_id)]

    async def opened(self) -> None:
        await self._send_state()

    async def checked(self) -> None:
        # Whatever announcement was lost (Redis restarted), this makes up for it.
        await self._send_state()

    async def operation_changed(self, event: dict[str, Any]) -> None:
        """An announcement."""
        await self.send_json({name: event[name] for name in ("sequence", "version", "status")})

    async def _send_state(self) -> None:
        operation = await Operation.objects.filter(pk=self.operation_id).afirst()
        if operation is not None:
            await self.operation_changed(message_for(operation))
