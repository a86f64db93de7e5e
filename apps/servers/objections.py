"""Whether a server may go: what is placed on it lies in apps above, and they answer a signal."""

from __future__ import annotations

from apps.core.exceptions import Conflict
from apps.servers.models import Server
from apps.servers.signals import removal_requested


def ensure_nothing_placed(server: Server) -> None:
    """Raises Conflict `servers.removal_refused` with everything that speaks against removing the server."""
    answers = [answer for _, answer in removal_requested.send(sender=Server, server=server) if answer]
    if answers:
        raise Conflict("servers.removal_refused", name=server.name, objections="; ".join(answers))
