"""Telling open pages that there is something new. An announcement may get lost: it carries nothing but numbers, and
whoever gets one asks for what comes after the last line it has. Without any, pages ask every few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import Any

from asgiref.sync import async_to_sync

from apps.operations.models import Operation

logger = logging.getLogger(__name__)
_PATIENCE = 1.0  # seconds that an announcement may take
_PAUSE_AFTER_FAILURE = 3.0


def group_of(operation_id: uuid.UUID | str) -> str:
    """The channel group of one operation."""
    return f"operation.{operation_id}"


def group_of_person(user_id: Any) -> str:
    """The channel group of one person's open pages, told when the person's rights change."""
    return f"rights.{user_id}"


def message_for(operation: Operation) -> dict[str, Any]:
    """What is announced: lines exist up to `sequence`, the steps changed `version` times."""
    return {
        "type": "operation.changed",
        "sequence": operation.log_sequence,
        "version": operation.version,
        "status": operation.status,
    }


def announce(operation: Operation) -> None:
    """Announces from a request or a task; see Announcer for a worker's threads."""
    send(group_of(operation.pk), message_for(operation))


def send(group: str, message: dict[str, Any]) -> None:
    """Sends to a group; a broken channel layer is logged and changes nothing else."""
    from channels.layers import get_channel_layer

    try:
        async_to_sync(_send_in_time)(get_channel_layer(), group, message)
    except Exception as error:
        logger.warning("Could not announce to %s: %r", group, error)


async def _send_in_time(layer: Any, group: str, message: dict[str, Any]) -> None:
    await asyncio.wait_for(layer.group_send(group, message), _PATIENCE)


class Announcer:
    """Announces from one thread, which keeps its event loop and so its connection. Use it as a context manager."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._silent_until = 0.0

    def __enter__(self) -> Announcer:
        return self

    def __exit__(self, *details: object) -> None:
        self._runner.close()

    def announce(self, operation: Operation) -> None:
        """Never raises; after a failure it is silent for a moment, so that a dead Redis delays nothing."""
        if time.monotonic() < self._silent_until:
            return
        from channels.layers import get_channel_layer

        try:
            self._runner.run(_send_in_time(get_channel_layer(), group_of(operation.pk), message_for(operation)))
        except Exception as error:
            self._silent_until = time.monotonic() + _PAUSE_AFTER_FAILURE
            logger.warning("Could not announce operation %s: %r", operation.pk, error)
