"""Whose a machine is. A file on it names the server's row and the installation of the platform; it is written before
anything else is placed there, so that one machine is never two servers, here or in two installations."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core.exceptions import Conflict, Problem
from apps.servers import paths
from apps.servers.models import Installation, Server

if TYPE_CHECKING:
    from apps.servers.host import Host

LARGEST = 4096
# $1 is our root folder, $2 the content, $3 a name that nobody else has. A hard link appears whole, or not at all where
# the file is there already: of two that claim at once one wins.
_CLAIM = r"""
umask 022
mkdir -p -- "$1" || exit
printf '%s\n' "$2" > "$1/$3" || exit
ln -- "$1/$3" "$1/owner" 2>/dev/null
rm -f -- "$1/$3"
"""


class Standing(StrEnum):
    """How a server's row stands to the machine that it leads to."""

    OURS = "ours"
    NOBODYS = "nobodys"
    # Of a row that this installation no longer has.
    FORGOTTEN = "forgotten"
    ANOTHERS = "anothers"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Owner:
    """What the file says: both ids as text."""

    installation: str
    server: str

    def as_text(self) -> str:
        return json.dumps(asdict(self))


def owner_as_of(server: Server) -> Owner:
    """What the file of this server says."""
    return Owner(installation=str(Installation.current().pk), server=str(server.pk))


def read(host: Host) -> Owner | None:
    """What the machine's file says; None where there is none. Raises Problem `servers.owner_unreadable`."""
    try:
        text = host.files.read(paths.owner_file(), LARGEST).decode()
        values = json.loads(text)
        return Owner(*(str(uuid.UUID(values[name])) for name in ("installation", "server")))
    except Problem as problem:
        if problem.code == "servers.file_not_found":
            return None
        if problem.code != "servers.file_too_large":
            raise
        raise Problem("servers.owner_unreadable", path=paths.owner_file()) from problem
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Problem("servers.owner_unreadable", path=paths.owner_file()) from error


def standing(server: Server, found: Owner | None) -> Standing:
    """How the row stands to a machine whose file says `found`."""
    ours = owner_as_of(server)
    if found is None:
        return Standing.NOBODYS
    if found == ours:
        return Standing.OURS
    if found.installation != ours.installation:
        return Standing.ELSEWHERE
    is_known = Server.objects.filter(pk=found.server).exists()
    return Standing.ANOTHERS if is_known else Standing.FORGOTTEN


def claim(host: Host, server: Server, *, take_over: bool = False) -> bool:
    """Makes the machine this server's; True when it was not before. With `take_over` also one whose own row is gone.

    Raises Conflict `servers.owned_by_another`, `servers.owned_elsewhere`, `servers.owner_forgotten`; Problem
    `servers.owner_unreadable`.
    """
    before = read(host)
    if before is None:
        host.run_script(_CLAIM, paths.ROOT, owner_as_of(server).as_text(), f".owner.{uuid.uuid4().hex}")
    elif take_over and standing(server, before) is Standing.FORGOTTEN:
        _take_over(host, server)
    found = read(host)
    stands = standing(server, found)
    if stands is not Standing.OURS:
        raise _refusal(server, found, stands)
    return before != found


@transaction.atomic
def _take_over(host: Host, server: Server) -> None:
    """One at a time in this installation: whoever comes second finds the row of the first."""
    Installation.objects.select_for_update().get(pk=Installation.current().pk)
    if standing(server, read(host)) is Standing.FORGOTTEN:
        host.files.write(paths.owner_file(), owner_as_of(server).as_text() + "\n", 0o644, (0, 0))


def _refusal(server: Server, found: Owner | None, stands: Standing) -> Problem:
    if stands is Standing.ELSEWHERE:
        return Conflict("servers.owned_elsewhere", address=server.address, path=paths.owner_file())
    if stands is Standing.FORGOTTEN:
        return Conflict("servers.owner_forgotten", address=server.address)
    if found is None:
        return Problem("servers.owner_unreadable", path=paths.owner_file())
    other = Server.objects.filter(pk=found.server, organization=server.organization_id).first()
    name = other.name if other else "of another organization"
    return Conflict("servers.owned_by_another", address=server.address, name=name, root=paths.ROOT)


def why_not_ours(host: Host, server: Server) -> str:
    """Why nothing may be taken off the machine for this row, in one sentence; empty where it is this row's.

    A machine that was prepared before there was such a file has none: it is ours unless another row leads there, too.
    """
    try:
        stands = standing(server, read(host))
    except Problem as problem:
        if problem.code != "servers.owner_unreadable":
            raise
        return problem.title
    if stands is Standing.NOBODYS:
        if server.bootstrapped_at is None:
            return "It was never prepared by this server."
        same = Server.objects.filter(host_key=server.host_key, bootstrapped_at__isnull=False)
        return "Another server of the platform has the same host key." if same.exclude(pk=server.pk).exists() else ""
    return "" if stands is Standing.OURS else "The machine belongs to another server."


def release(host: Host) -> None:
    """Leaves the machine to whoever claims it next. Only where it is ours."""
    host.files.remove(paths.owner_file())
