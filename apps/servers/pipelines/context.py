"""What every step over a server gets: the server, and its open connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from apps.operations.models import Operation
from apps.operations.run import Run
from apps.servers.host import Host, open_host
from apps.servers.models import Server


@dataclass(frozen=True)
class ServerContext:
    """The server as it was when the worker began, and the way to it."""

    run: Run
    server: Server
    host: Host


@contextlib.contextmanager
def open_server(run: Run) -> Iterator[ServerContext]:
    """Connects to the operation's server."""
    server = load(run.operation)
    with open_host(server) as host:
        yield ServerContext(run, server, host)


def load(operation: Operation) -> Server:
    """The server of an operation, as it is now."""
    return Server.objects.select_related("organization", "ssh_key").get(pk=operation.subject_id)
