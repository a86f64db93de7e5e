"""The one door to a server: nothing else in the project connects to one."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator

from apps.core.exceptions import Problem
from apps.servers import keys
from apps.servers.host.connection import Endpoint, scan_host_key
from apps.servers.host.exceptions import CommandFailed, CommandResult, ConnectionLost
from apps.servers.host.host import Host
from apps.servers.models import Server

__all__ = ["CommandFailed", "CommandResult", "ConnectionLost", "Host", "endpoint_of", "open_host", "scan_host_key"]

_opened = threading.local()


def endpoint_of(server: Server) -> Endpoint:
    """How to reach a server. Raises Problem `servers.host_key_unknown`, or `servers.key_*` for a key that cannot be
    used."""
    if not server.host_key:
        raise Problem("servers.host_key_unknown", name=server.name)
    return Endpoint(
        address=server.address,
        port=server.port,
        user=server.user,
        key=keys.parse(server.ssh_key.private_key, server.ssh_key.passphrase),
        host_key=server.host_key,
    )


@contextlib.contextmanager
def open_host(server: Server) -> Iterator[Host]:
    """The server's open connection, closed at the end of the block. Within a thread that has it open already, the same
    one again: a task keeps one connection from its beginning to its end.

    Raises ConnectionLost, or Problem `servers.*` (see `apps.servers.host.connection.connect`).
    """
    mine: dict[uuid.UUID, Host] = _opened.__dict__.setdefault("hosts", {})
    shared = mine.get(server.pk)
    if shared is not None and shared.transport.is_active():
        yield shared
        return
    host = Host(endpoint_of(server))
    mine[server.pk] = host
    try:
        yield host
    finally:
        if mine.get(server.pk) is host:
            del mine[server.pk]
        host.close()
