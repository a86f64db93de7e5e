"""A server that is gone for good: what was placed on it is given up, without connecting to it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.servers import states
from apps.servers.models import Server
from apps.servers.objections import ensure_nothing_at_work
from apps.servers.signals import server_given_up


def expected_phrase(server: Server) -> str:
    """What a person types."""
    return f"{server.name} is gone for good"


@transaction.atomic
def give_up_server(*, server: Server, phrase: str, actor: Any) -> list[str]:
    """Gives up everything that was placed on the server and returns its names: their data is taken for lost, their
    names and what was promised to them are free at once. The row stays, as that of a server whose host key was never
    confirmed: nothing connects to it until a person has compared its fingerprint again.

    Raises Problem `servers.phrase_differs`; Conflict `servers.still_there` for one that answers, `servers.at_work`,
    and what the apps above raise.
    """
    locked = Server.objects.select_for_update().select_related("organization").get(pk=server.pk)
    expected = expected_phrase(locked)
    if phrase != expected:
        raise Problem("servers.phrase_differs", phrase=expected)
    if locked.is_ready:
        raise Conflict("servers.still_there", name=locked.name)
    ensure_nothing_at_work(locked)
    answers = server_given_up.send(sender=Server, server=locked, actor=actor)
    given_up = [name for _, names in answers for name in names or []]
    before = locked.host_key_fingerprint
    states.update(server, host_key="", host_key_fingerprint="", bootstrapped_at=None, next_check_at=None)
    states.change(server, Server.Status.PENDING, "")
    audit.record(
        action="server.given_up",
        actor=actor,
        organization_id=locked.organization_id,
        target=locked,
        before={"fingerprint": before},
        after={"given_up": ", ".join(given_up)},
    )
    return given_up
