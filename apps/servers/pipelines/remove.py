"""Removes a server from the platform: the proxy goes, Docker and foreign things stay, then the server is forgotten."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from apps.audit import services as audit
from apps.core.exceptions import Problem
from apps.operations.models import Operation
from apps.operations.pipeline import Pipeline, Step, register
from apps.operations.run import Run
from apps.servers import owner, proxy, states
from apps.servers.host import Host, open_host
from apps.servers.models import Server
from apps.servers.objections import ensure_nothing_placed
from apps.servers.pipelines.context import load
from apps.servers.signals import server_forgotten


@dataclass(frozen=True)
class RemovalContext:
    """The server, and its connection unless it is only to be forgotten."""

    run: Run
    server: Server
    host: Host | None


@contextlib.contextmanager
def open_removal(run: Run) -> Iterator[RemovalContext]:
    """Connects, unless the person said that the machine is gone."""
    server = load(run.operation)
    if run.parameters.get("only_forget"):
        yield RemovalContext(run, server, None)
        return
    with open_host(server) as host:
        yield RemovalContext(run, server, host)


def is_reachable(context: RemovalContext) -> bool | str:
    return True if context.host is not None else "The server is only forgotten: nothing is changed on it."


def check(context: RemovalContext) -> None:
    ensure_nothing_placed(context.server)
    context.run.info("Nothing is placed on the server.")


def remove_proxy(context: RemovalContext) -> None:
    """Takes off what is this server's, and leaves the machine to others last."""
    reason = owner.why_not_ours(context.host, context.server)
    if reason:
        context.run.warning(f"Nothing is changed on the machine. {reason}")
        return
    try:
        proxy.remove(context.host)
    except Problem as problem:
        if problem.code != "servers.docker_missing":
            raise
        context.run.info("There is no Docker on the server, hence no proxy.")
    else:
        context.run.info("Removed the proxy, the responder and their network. Docker and everything else stay.")
    owner.release(context.host)


def forget(context: RemovalContext) -> None:
    ensure_nothing_placed(context.server)
    context.run.info(f"{context.server.name} is forgotten. Its folder /opt/oecsh can be deleted on the server by hand.")


def succeeded(operation: Operation) -> None:
    """Deletes the row, and the key that was made for this server alone."""
    server, key = load(operation), load(operation).ssh_key
    audit.record(
        action="server.removed",
        actor=operation.created_by,
        organization_id=server.organization_id,
        target=server,
        before={"name": server.name, "address": server.address, "port": server.port},
    )
    server_forgotten.send(sender=Server, server=server)
    server.delete()
    if key.generated and not key.servers.exists():
        key.delete()


def failed(operation: Operation) -> None:
    states.check_soon(load(operation))


REMOVE = register(
    Pipeline(
        kind="servers.remove",
        title="Remove the server",
        open_context=open_removal,
        on_success=succeeded,
        on_failure=failed,
        view_code="org.servers.list",
        cancel_code="org.servers.delete",
        steps=(
            Step("check", "Check that nothing is placed there", check, timeout=60),
            Step("remove_proxy", "Remove the proxy", remove_proxy, needed=is_reachable, timeout=300),
            Step("forget", "Forget the server", forget, final=True, timeout=60),
        ),
    )
)
