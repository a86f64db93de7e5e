"""Records that the platform writes: stored before they are written, so that removal deletes exactly these."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.db import models

from apps.core import clock
from apps.core.exceptions import Problem
from apps.core.outgoing import check_address
from apps.domains import dns_lookup
from apps.domains.dns_providers import writer_for
from apps.domains.models import DnsProvider, DnsRecord, RecordType
from apps.domains.progress import Progress, quiet
from apps.environments.models import Environment
from apps.servers.models import Server

ADDRESS_TTL = 300


@dataclass(frozen=True)
class WantedRecord:
    """A record as a person would enter it."""

    name: str
    record_type: str
    value: str

    def __str__(self) -> str:
        return f"{self.name} {self.record_type} {self.value}"


def wanted_record(name: str, address: str) -> WantedRecord:
    """What makes `name` point to a server: A or AAAA for an IP address, CNAME for a host name."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return WantedRecord(name, RecordType.CNAME, address.lower())
    return WantedRecord(name, RecordType.A if version == 4 else RecordType.AAAA, address)


def ensure_record(
    provider: DnsProvider, name: str, address: str, *, environment: Environment | None = None
) -> DnsRecord | None:
    """Makes `name` point to `address`. What we wrote there before goes; what somebody else wrote stays, and is adopted
    as it is (None: not in our books, never removed by us) where it says the same already.

    Raises Problem `domains.dns_record_taken` where somebody else's record says something different.
    """
    wanted = wanted_record(name, address)
    writer = writer_for(provider)
    zone = writer.zone_of(name)
    mine = {entry.value: entry for entry in _ours(provider, name) if entry.record_type == wanted.record_type}
    present = writer.values(zone, name, wanted.record_type)
    foreign = [value for value in present if value not in mine]
    if wanted.value in foreign:
        return None
    others = foreign + [entry for kind in _clashing(wanted) for entry in writer.values(zone, name, kind)]
    others = [value for value in others if not _ours(provider, name).filter(value=value).exists()]
    if others:
        raise Problem(
            "domains.dns_record_taken",
            name=name,
            record_type=wanted.record_type,
            values=", ".join(others),
            value=wanted.value,
        )
    for entry in _ours(provider, name).exclude(record_type=wanted.record_type):
        remove(entry)
    record = _write(provider, zone, wanted, ADDRESS_TTL, environment)
    # The new value first: the name resolves all the time.
    for entry in _ours(provider, name).exclude(pk=record.pk):
        remove(entry)
    return record


def ensure_txt(provider: DnsProvider, name: str, value: str, *, ttl: int) -> DnsRecord:
    """Adds one TXT value beside whatever is there."""
    zone = writer_for(provider).zone_of(name)
    return _write(provider, zone, WantedRecord(name, RecordType.TXT, value), ttl, None)


def remove(record: DnsRecord) -> None:
    """Removes what this row says, and then the row. Harmless where the record is gone. Raises Problem."""
    writer_for(record.provider).remove(record.zone, record.name, record.record_type, record.value)
    record.delete()


def remove_of(environment: Environment, *, run: Progress = quiet) -> None:
    """Removes all records of an environment; one that cannot be removed now stays in our books for later."""
    for record in DnsRecord.objects.filter(environment=environment).select_related("provider"):
        try:
            remove(record)
            run.info(f"Removed the record {record}.")
        except Problem as problem:
            DnsRecord.objects.filter(pk=record.pk).update(environment=None)
            run.warning(f"The record {record} could not be removed yet: {problem}")


def wait_until_visible(record: DnsRecord, *, run: Progress = quiet, timeout: float | None = None) -> None:
    """Returns once all name servers of the zone show the record. Raises Problem `domains.dns_not_propagated`."""
    writer = writer_for(record.provider)
    dns_lookup.wait_until_visible(
        zone=record.zone,
        name=record.name,
        record_type=record.record_type,
        value=record.value,
        servers=writer.name_servers(record.zone),
        run=run,
        timeout=timeout or writer.seconds_to_propagate,
    )


def addresses_of_server(server: Server) -> list[str]:
    """The IP addresses under which visitors reach a server; empty where its name does not resolve."""
    try:
        return check_address(server.dns_address, server.http_port)
    except Problem:
        return []


def _ours(provider: DnsProvider, name: str) -> models.QuerySet[DnsRecord]:
    kinds = [RecordType.A, RecordType.AAAA, RecordType.CNAME]
    return DnsRecord.objects.filter(provider=provider, name=name, record_type__in=kinds)


def _clashing(wanted: WantedRecord) -> list[str]:
    """A CNAME stands alone (RFC 1034, section 3.6.2)."""
    return [RecordType.A, RecordType.AAAA] if wanted.record_type == RecordType.CNAME else [RecordType.CNAME]


def _write(
    provider: DnsProvider, zone: str, wanted: WantedRecord, ttl: int, environment: Environment | None
) -> DnsRecord:
    writer = writer_for(provider)
    lifetime = max(ttl, writer.smallest_ttl)
    record, _ = DnsRecord.objects.update_or_create(
        provider=provider,
        name=wanted.name,
        record_type=wanted.record_type,
        value=wanted.value,
        defaults={"zone": zone, "ttl": lifetime, "environment": environment},
    )
    writer.add(zone, wanted.name, wanted.record_type, wanted.value, lifetime)
    record.written_at = clock.now()
    record.save(update_fields=["written_at", "updated_at"])
    return record
