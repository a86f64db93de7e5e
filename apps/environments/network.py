"""A network of sixteen addresses for each environment, out of its server's range."""

from __future__ import annotations

import ipaddress

from apps.environments.models import Environment
from apps.servers import networks
from apps.servers.models import Server

# Fixed addresses lie in the lower half (the first is the gateway's); jobs get theirs from the upper one.
PARTS = {"proxy": 2, "db": 3, "pgbouncer": 4, "odoo": 5, "odoo_next": 6, "db_replica": 7}


def first_free_subnet(server: Server) -> str:
    """The lowest /28 of the server's range that no environment has.

    Call it while the server's row is locked. Raises Conflict `servers.network_range_full`.
    """
    taken = Environment.objects.filter(server=server).exclude(subnet="").values_list("subnet", flat=True)
    return networks.allocate(server, taken)


def addresses_in(subnet: str) -> dict[str, str]:
    """Who has which address in a subnet."""
    network = ipaddress.ip_network(subnet)
    return {part: str(network[number]) for part, number in PARTS.items()}
