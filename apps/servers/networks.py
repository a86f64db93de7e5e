"""Private networks on a server. Pure, besides reading what the host has.

Each environment gets a /28 of its own, given explicitly: Docker's own pools end at about thirty networks.
"""

from __future__ import annotations

import contextlib
import ipaddress
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING

from apps.core.exceptions import Conflict, Problem
from apps.servers.models import Server

if TYPE_CHECKING:
    from apps.servers.host import Host

PREFIX_LENGTH = 28
Network = ipaddress.IPv4Network
_ROUTES = "/proc/net/route"
_FLAG_UP = 0x1


def allocate(server: Server, taken: Iterable[str]) -> str:
    """The lowest free /28 of the server's range. `taken` are networks that are in use, of whatever size.

    Call it while the server's row is locked. Raises Conflict `servers.network_range_full`.
    """
    used = [Network(text, strict=False) for text in taken]
    for candidate in Network(server.network_range).subnets(new_prefix=PREFIX_LENGTH):
        if not any(candidate.overlaps(network) for network in used):
            return str(candidate)
    raise Conflict("servers.network_range_full", network_range=server.network_range)


def parse_routes(table: str) -> list[tuple[str, Network]]:
    """Interface and destination of each route in `/proc/net/route` (proc(5)), the default route left out, and lines
    that are none."""
    routes = [_parse_route(line.split()) for line in table.splitlines()[1:]]
    return [route for route in routes if route is not None and route[1].prefixlen]


def _parse_route(fields: list[str]) -> tuple[str, Network] | None:
    try:
        if len(fields) < 8 or not int(fields[3], 16) & _FLAG_UP:
            return None
        address, mask = (struct.pack("<L", int(fields[column], 16)) for column in (1, 7))
        return fields[0], Network((int.from_bytes(address), bin(int.from_bytes(mask)).count("1")), strict=False)
    except (ValueError, struct.error):
        return None


def check_range(host: Host, network_range: str) -> None:
    """Raises Problem `servers.network_range_taken` where the server already reaches something else in that range.
    Networks of Docker inside the range are environments' own, made by us on request."""
    wanted = Network(network_range)
    ours = _docker_subnets(host)
    for network in ours:
        if network.overlaps(wanted) and not network.subnet_of(wanted):
            raise Problem("servers.network_range_taken", network_range=network_range, other=f"Docker's {network}")
    for interface, network in parse_routes(host.files.read(_ROUTES).decode()):
        if network.overlaps(wanted) and network not in ours:
            other = f"{network} on {interface}"
            raise Problem("servers.network_range_taken", network_range=network_range, other=other)


def _docker_subnets(host: Host) -> list[Network]:
    networks = host.docker.api.networks()
    configs = [config for network in networks for config in (network.get("IPAM") or {}).get("Config") or []]
    found = []
    for config in configs:
        # Networks of IPv6, and of drivers with addresses of their own.
        with contextlib.suppress(ValueError):
            found.append(Network(config.get("Subnet", "")))
    return found
