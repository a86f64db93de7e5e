"""The states of a server, and every change of them. None is terminal: see `Server.Status`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from apps.core import clock
from apps.core.exceptions import Problem
from apps.servers.facts import Facts
from apps.servers.host.exceptions import ConnectionLost
from apps.servers.models import Server
from apps.servers.signals import status_changed

Status = Server.Status
CHECK_EVERY = timedelta(minutes=1)
CHECK_AT_LEAST_EVERY = timedelta(minutes=10)


def store_facts(server: Server, facts: Facts) -> None:
    """What was seen, and that it was seen now."""
    update(server, facts=facts.as_json(), last_seen_at=clock.now())


def preparing(server: Server) -> None:
    """The preparation begins. A server that was ready stays ready: preparing it again changes nothing there."""
    if server.status != Status.READY:
        change(server, Status.CONNECTING, "")


def bootstrapped(server: Server) -> None:
    """The preparation went well."""
    update(server, bootstrapped_at=clock.now(), next_check_at=clock.now() + CHECK_EVERY)
    change(server, Status.READY, "")


def bootstrap_failed(server: Server, *, reason: str) -> None:
    """It did not. A server that was ready before is looked at by the next check."""
    if server.status == Status.READY:
        check_soon(server)
    else:
        change(server, Status.ERROR, reason)


def check_soon(server: Server) -> None:
    """The next tick looks at it."""
    update(server, next_check_at=clock.now())


def seen(server: Server, facts: Facts) -> None:
    """A check went well. Whether a server that was never prepared is ready is not for a check to say."""
    store_facts(server, facts)
    update(server, next_check_at=clock.now() + CHECK_EVERY)
    _read_anew(server)
    if server.bootstrapped_at is None or server.status == Status.CONNECTING:
        return
    if facts.docker_version:
        change(server, Status.READY, "")
    else:
        change(server, Status.ERROR, Problem("servers.docker_not_running").title)


def not_seen(server: Server, problem: Problem) -> None:
    """A check failed. What may pass by itself makes it unreachable, anything else is an error that a person must look
    at. The longer it is gone, the rarer it is asked."""
    gone_for = clock.now() - (server.last_seen_at or server.created_at)
    update(server, next_check_at=clock.now() + min(max(CHECK_EVERY, gone_for / 4), CHECK_AT_LEAST_EVERY))
    _read_anew(server)
    if server.bootstrapped_at is None or server.status == Status.CONNECTING:
        return
    lost = isinstance(problem, ConnectionLost) or problem.code == "core.address_unknown"
    change(server, Status.UNREACHABLE if lost else Status.ERROR, problem.title)


def _read_anew(server: Server) -> None:
    """A look takes seconds, and a preparation may have ended meanwhile."""
    server.refresh_from_db(fields=["status", "bootstrapped_at"])


@transaction.atomic
def change(server: Server, status: str, reason: str) -> None:
    """Stores status and reason, and tells whoever listens when the status is another one."""
    before = Server.objects.select_for_update(no_key=True).values_list("status", flat=True).get(pk=server.pk)
    update(server, status=status, status_reason=reason)
    if before != status:
        status_changed.send(sender=Server, server=server, before=before)


def update(server: Server, **fields: Any) -> None:
    """Writes just these fields, to the row and to the object: several tasks may hold the same server."""
    for name, value in fields.items():
        setattr(server, name, value)
    Server.objects.filter(pk=server.pk).update(**fields, updated_at=clock.now())
