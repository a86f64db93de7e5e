"""Records at a real DNS server: written, moved, and removed exactly as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from apps.core.exceptions import Problem
from apps.domains import dns_lookup, dns_records, scanning
from apps.domains.models import BaseDomain, DnsProvider, DnsRecord
from apps.domains.provider_checks import try_provider
from tests.domains.conftest import make_provider

if TYPE_CHECKING:
    from tests.lab.dns import DnsServer

pytestmark = [pytest.mark.lab, pytest.mark.django_db]


@pytest.fixture
def name(zone: str) -> str:
    return f"shop.{zone}"


def test_a_record_is_written_once_and_removed(provider: DnsProvider, dns_server: DnsServer, name: str) -> None:
    for _ in range(2):
        record = dns_records.ensure_record(provider, name, "192.0.2.7")
        assert dns_server.lookup(name) == ["192.0.2.7"]
    assert DnsRecord.objects.get() == record
    assert record.zone == name.partition(".")[2]
    dns_records.wait_until_visible(record, timeout=5)
    dns_records.remove(record)
    assert dns_server.lookup(name) == []
    assert not DnsRecord.objects.exists()


@pytest.mark.parametrize(
    ("address", "kind", "shown"),
    [
        ("192.0.2.7", "A", "192.0.2.7"),
        ("2001:db8::7", "AAAA", "2001:db8::7"),
        ("Server.Example.net", "CNAME", "server.example.net."),
    ],
)
def test_the_type_follows_the_address(
    provider: DnsProvider, dns_server: DnsServer, name: str, address: str, kind: str, shown: str
) -> None:
    assert dns_records.ensure_record(provider, name, address).record_type == kind
    assert dns_server.lookup(name, kind) == [shown]


def test_a_new_address_takes_the_place_of_ours(provider: DnsProvider, dns_server: DnsServer, name: str) -> None:
    for address in ("192.0.2.7", "192.0.2.8"):
        dns_records.ensure_record(provider, name, address)
        assert dns_server.lookup(name) == [address]
    dns_records.ensure_record(provider, name, "server.example.net")
    assert dns_server.lookup(name, "CNAME") == ["server.example.net."]
    dns_records.ensure_record(provider, name, "192.0.2.9")
    assert dns_server.lookup(name) == ["192.0.2.9"]
    assert DnsRecord.objects.count() == 1


def test_somebody_elses_record_is_never_touched(
    provider: DnsProvider, dns_server: DnsServer, name: str, zone: str
) -> None:
    dns_server.set_records(zone, "shop", "A", ["192.0.2.99"])
    with pytest.raises(Problem) as caught:
        dns_records.ensure_record(provider, name, "192.0.2.7")
    assert caught.value.code == "domains.dns_record_taken"
    assert "192.0.2.99" in caught.value.title
    assert dns_server.lookup(name) == ["192.0.2.99"]
    # One that says the same already is fine, and stays when the environment goes.
    assert dns_records.ensure_record(provider, name, "192.0.2.99") is None
    assert not DnsRecord.objects.exists()


def test_two_challenges_of_one_name_stand_beside_each_other(
    provider: DnsProvider, dns_server: DnsServer, zone: str
) -> None:
    name = f"_acme-challenge.{zone}"
    first, second = (dns_records.ensure_txt(provider, name, value, ttl=60) for value in ("first", "second"))
    assert dns_server.lookup(name, "TXT") == ["first", "second"]
    dns_records.remove(first)
    assert dns_server.lookup(name, "TXT") == ["second"]
    dns_records.remove(second)


def test_a_record_left_behind_is_removed_by_the_scanner(
    provider: DnsProvider, dns_server: DnsServer, zone: str
) -> None:
    record = dns_records.ensure_txt(provider, f"_acme-challenge.{zone}", "left", ttl=60)
    scanning.remove_orphans()
    assert dns_server.lookup(record.name, "TXT") == ["left"]
    DnsRecord.objects.update(updated_at="2020-01-01T00:00:00Z")
    scanning.remove_orphans()
    assert dns_server.lookup(record.name, "TXT") == []


def test_the_zone_is_found_by_asking(provider: DnsProvider, zone: str) -> None:
    from apps.domains.dns_providers import writer_for

    assert writer_for(provider).zone_of(f"a.b.c.{zone}") == zone
    with pytest.raises(Problem, match="no zone"):
        writer_for(provider).zone_of("shop.not-here.example")


def test_trying_a_provider_out(provider: DnsProvider, dns_server: DnsServer, zone: str) -> None:
    BaseDomain.objects.create(name=zone, dns_provider=provider)
    assert zone in try_provider(provider)
    assert provider.test_error == ""
    assert dns_server.lookup(f"_oecsh-test.{zone}", "TXT") == []
    BaseDomain.objects.all().delete()
    broken = make_provider(dns_server, key_secret="d3Jvbmctd3Jvbmc=")
    BaseDomain.objects.create(name=zone, dns_provider=broken)
    with pytest.raises(Problem):
        try_provider(broken)
    assert "BADSIG" in broken.test_error


def test_a_server_that_is_silent_is_not_waited_for_long(provider: DnsProvider, zone: str) -> None:
    provider.settings = provider.settings | {"server": "127.0.0.1", "port": 9}
    with pytest.raises(Problem) as caught:
        dns_records.ensure_record(provider, f"shop.{zone}", "192.0.2.7")
    assert caught.value.code == "domains.dns_unreachable"


def test_looking_a_name_up(settings: Any, dns_server: DnsServer, zone: str) -> None:
    settings.DNS_SERVERS = [f"{dns_server.address}:{dns_server.port}"]
    dns_server.set_records(zone, "shop", "A", ["192.0.2.7"])
    dns_server.set_records(zone, "www", "CNAME", [f"shop.{zone}."])
    assert dns_lookup.addresses_of(f"www.{zone}") == ["192.0.2.7"]
    assert dns_lookup.addresses_of(f"nothing.{zone}") == []
    with pytest.raises(OSError, match="no answer"):
        dns_lookup.addresses_of("refused.not-a-zone-here.example")
