"""The guard for every address that a user gives and the platform calls.

The check is repeated at each use, and the caller connects to an address that was checked: a name that resolves to
something else a moment later gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.exceptions import Problem

# Shared address space (RFC 6598), protocol assignments (RFC 6890; a cloud's metadata), benchmark (RFC 2544),
# a cloud's own services behind an address that looks public, NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056): `is_global`
# alone differs between Python releases, and the mapped forms hide an IPv4 address.
_NEVER_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "168.63.129.16/32"),
        *("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fec0::/10"),
    )
]


def is_allowed(address: str) -> bool:
    """True for public addresses and for those in ALLOWED_PRIVATE_NETWORKS."""
    parsed = ipaddress.ip_address(address.split("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    allowed = (ipaddress.ip_network(network) for network in settings.ALLOWED_PRIVATE_NETWORKS)
    if any(parsed in network for network in allowed if network.version == parsed.version):
        return True
    hidden = any(parsed in network for network in _NEVER_PUBLIC if network.version == parsed.version)
    return parsed.is_global and not parsed.is_multicast and not hidden


def check_address(host: str, port: int) -> list[str]:
    """Resolves `host` and returns its addresses, all of them allowed.

    Raises Problem `core.address_unknown` or `core.address_not_allowed`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Problem("core.address_unknown", host=host) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_allowed(address):
            raise Problem("core.address_not_allowed", host=host, reason=f"{address} is a private or reserved address.")
    return addresses


def check_url(url: str, *, schemes: tuple[str, ...] = ("https",)) -> list[str]:
    """The same for a URL, whose scheme must be among `schemes`."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443, "ssh": 22}.get(parts.scheme, 0)
    except ValueError as error:
        raise Problem("core.address_not_allowed", host=url, reason="It is not a URL.") from error
    if parts.scheme not in schemes or not parts.hostname:
        reason = f"It must start with {' or '.join(f'{scheme}://' for scheme in schemes)}."
        raise Problem("core.address_not_allowed", host=parts.hostname or url, reason=reason)
    return check_address(parts.hostname, port)
