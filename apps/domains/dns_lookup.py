"""Asking the DNS: what a name resolves to, and whether the servers of a zone show a record yet."""

from __future__ import annotations

import time
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
from django.conf import settings

from apps.core.exceptions import Problem
from apps.core.outgoing import is_allowed
from apps.domains.progress import Progress, quiet

SECONDS_PER_QUERY = 3.0
SECONDS_PER_LOOKUP = 8.0
SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True)
class NameServer:
    """One server that answers for a zone."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        return self.address if self.port == 53 else f"{self.address} port {self.port}"


def parse_name_servers(texts: list[str]) -> list[NameServer]:
    """`192.0.2.1` or `192.0.2.1:5353` (IPv6 with a port: `[2001:db8::1]:5353`). Raises ValueError."""
    found = []
    for text in texts:
        if text.startswith("["):
            address, _, port = text[1:].partition("]")
            port = port.removeprefix(":")
        elif text.count(":") == 1:
            address, _, port = text.partition(":")
        else:
            address, port = text, ""
        dns.inet.af_for_address(address)
        found.append(NameServer(address, int(port or 53)))
    return found


def resolve(name: str, record_type: str) -> list[str]:
    """The values of a name as the world sees them, aliases followed; empty where there are none.

    Asked of DNS_SERVERS, or of the machine's own resolvers. Raises OSError when none of them answers.
    """
    try:
        answer = _resolver().resolve(_absolute(name), record_type, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise OSError(f"The resolver gives no answer for {name}: {error}") from error
    return [value_of(record) for record in answer]


def addresses_of(name: str) -> list[str]:
    """All IPv4 and IPv6 addresses of a name; empty where there are none. Raises OSError as `resolve`."""
    return [*resolve(name, "A"), *resolve(name, "AAAA")]


def authoritative_servers(zone: str) -> list[NameServer]:
    """The servers that the zone is delegated to, those that may be asked (see core.outgoing)."""
    names = resolve(zone, "NS")
    addresses = dict.fromkeys(address for name in names for address in addresses_of(name))
    return [NameServer(address) for address in addresses if is_allowed(address)]


def ask(server: NameServer, name: str, record_type: str) -> list[str]:
    """The values that one server shows now, past every cache. Raises OSError when it does not answer properly."""
    query = dns.message.make_query(_absolute(name), record_type)
    query.flags &= ~dns.flags.RD
    try:
        answer, _ = dns.query.udp_with_fallback(query, server.address, timeout=SECONDS_PER_QUERY, port=server.port)
    except (dns.exception.DNSException, OSError) as error:
        raise OSError(f"{server} does not answer ({error})") from error
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise OSError(f"{server} answers {dns.rcode.to_text(answer.rcode())}")
    wanted = dns.rdatatype.from_text(record_type)
    return [value_of(record) for rrset in answer.answer if rrset.rdtype == wanted for record in rrset]


def wait_until_visible(
    *,
    zone: str,
    name: str,
    record_type: str,
    value: str,
    servers: list[NameServer],
    run: Progress = quiet,
    timeout: float,
) -> None:
    """Returns once every server of the zone shows the value. Raises Problem `domains.dns_not_propagated` after
    `timeout` seconds, with what was seen last."""
    deadline = time.monotonic() + timeout
    missing: dict[NameServer, str] = dict.fromkeys(servers, "not asked yet")
    if not servers:
        missing = {NameServer("the zone"): "no name server is known"}
    while missing:
        for server in list(missing):
            run.check()
            try:
                values = ask(server, name, record_type)
            except OSError as error:
                missing[server] = str(error)
                continue
            if value in values:
                del missing[server]
            else:
                missing[server] = f"{server} shows {', '.join(values) or 'nothing'}"
        if not missing:
            return
        if time.monotonic() > deadline:
            raise Problem(
                "domains.dns_not_propagated",
                zone=zone,
                name=name,
                record_type=record_type,
                seconds=round(timeout),
                words="; ".join(missing.values()),
            )
        run.sleep(SECONDS_BETWEEN_LOOKS)


def value_of(record: dns.rdata.Rdata) -> str:
    """A record's value as it is written by us: a TXT without quotes, a name without the last dot."""
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings).decode(errors="replace")
    return record.to_text().rstrip(".")


def parents_of(name: str) -> list[str]:
    """The name and everything above it that can be a zone: `a.b.example.com`, `b.example.com`, `example.com`."""
    labels = name.removeprefix("*.").split(".")
    found = [".".join(labels[index:]) for index in range(len(labels) - 1)]
    return found or [name]


def _absolute(name: str) -> dns.name.Name:
    return dns.name.from_text(name if name.endswith(".") else f"{name}.")


def _resolver() -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
    if settings.DNS_SERVERS:
        servers = parse_name_servers(settings.DNS_SERVERS)
        resolver.nameservers = [server.address for server in servers]
        resolver.nameserver_ports = {server.address: server.port for server in servers}
    resolver.timeout = SECONDS_PER_QUERY
    resolver.lifetime = SECONDS_PER_LOOKUP
    resolver.cache = None
    return resolver
