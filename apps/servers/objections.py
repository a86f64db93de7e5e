"""What speaks against a change of a server: it lies in apps above, and they answer signals."""

from __future__ import annotations

from django.dispatch import Signal

from apps.core.exceptions import Conflict
from apps.operations import services as operations
from apps.servers.models import Server
from apps.servers.signals import removal_requested, work_asked_for


def placed_on(server: Server) -> list[str]:
    """What is placed on the server, in words."""
    return _answers(removal_requested, server)


def ensure_nothing_placed(server: Server) -> None:
    """Raises Conflict `servers.removal_refused` with everything that speaks against removing the server."""
    answers = placed_on(server)
    if answers:
        raise Conflict("servers.removal_refused", name=server.name, objections="; ".join(answers))


def ensure_nothing_at_work(server: Server) -> None:
    """Raises Conflict `servers.at_work` while an operation uses the server, its own or one over what is placed there.
    Call it with the row locked."""
    own = operations.active_for(server.lock_key)
    answers = [f"{own.title} is under way"] if own else []
    answers += _answers(work_asked_for, server)
    if answers:
        raise Conflict("servers.at_work", name=server.name, work="; ".join(answers))


def _answers(question: Signal, server: Server) -> list[str]:
    return [answer for _, answer in question.send(sender=Server, server=server) if answer]
