"""Pebble and Knot together: real certificates by DNS-01 (with signed updates) and HTTP-01, and real refusals."""

from __future__ import annotations

from collections.abc import Iterator

import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest
from acme import errors
from cryptography import x509

from tests.lab.acme import AcmeServer
from tests.lab.acme_order import DNS_01, HTTP_01, open_account, order
from tests.lab.dns import DnsServer
from tests.lab.server import LabServer

pytestmark = pytest.mark.lab

ZONE = "apps.localhost"


@pytest.fixture
def zone(dns_server: DnsServer) -> Iterator[str]:
    dns_server.add_zone(ZONE, ["* A 192.0.2.1"])
    yield ZONE
    dns_server.remove_zone(ZONE)


def update(server: DnsServer, zone: str, name: str, text: str, *, secret: str | None = None) -> int:
    """Set a TXT record by RFC 2136; returns the server's code."""
    keys = dns.tsigkeyring.from_text({server.key_name: (server.key_algorithm, secret or server.key_secret)})
    message = dns.update.UpdateMessage(zone, keyring=keys)
    message.replace(name, 60, "TXT", f'"{text}"')
    return dns.query.tcp(message, server.address, port=server.port, timeout=10).rcode()


def names_of(certificate: x509.Certificate) -> list[str]:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )


def test_wildcard_by_dns_01(acme_server: AcmeServer, dns_server: DnsServer, zone: str) -> None:
    def publish(name: str, _token: str, text: str) -> None:
        assert update(dns_server, zone, "_acme-challenge", text) == dns.rcode.NOERROR
        assert dns_server.lookup(f"_acme-challenge.{name}", "TXT") == [text]

    certificate = order(open_account(acme_server), [f"*.{zone}"], DNS_01, publish)
    assert names_of(certificate) == [f"*.{zone}"]
    intermediate = x509.load_pem_x509_certificate(acme_server.issuing_intermediate.encode())
    certificate.verify_directly_issued_by(intermediate)
    root = x509.load_pem_x509_certificate(acme_server.issuing_root.encode())
    intermediate.verify_directly_issued_by(root)


def test_single_name_by_http_01(
    acme_server: AcmeServer, dns_server: DnsServer, zone: str, second_lab_server: LabServer
) -> None:
    server = second_lab_server
    folder = "/srv/.well-known/acme-challenge"
    server.run(["mkdir", "-p", folder])
    serve = "busybox httpd -f -p 80 -h /srv >/dev/null 2>&1 & echo $!"
    pid = server.run(["sh", "-c", serve]).stdout.strip()
    try:
        dns_server.set_records(zone, "shop", "A", [server.address])

        def publish(_name: str, token: str, text: str) -> None:
            server.run(["tee", f"{folder}/{token}"], stdin=text)

        certificate = order(open_account(acme_server), [f"shop.{zone}"], HTTP_01, publish)
        assert names_of(certificate) == [f"shop.{zone}"]
    finally:
        server.run(["kill", pid])


def test_wrong_answer_is_refused(acme_server: AcmeServer, dns_server: DnsServer, zone: str) -> None:
    dns_server.mislead_challenges(zone)

    def publish(_name: str, _token: str, text: str) -> None:
        assert update(dns_server, zone, "_acme-challenge", text) == dns.rcode.NOERROR

    with pytest.raises(errors.ValidationError) as caught:
        order(open_account(acme_server), [f"*.{zone}"], DNS_01, publish)
    assert "Correct value not found" in str(caught.value.failed_authzrs)
    assert dns_server.lookup(f"_acme-challenge.{zone}", "TXT") == ["not-the-challenge"]


def test_zone_that_refuses_questions_gets_no_certificate(
    acme_server: AcmeServer, dns_server: DnsServer, zone: str
) -> None:
    dns_server.refuse_queries(zone)
    with pytest.raises(errors.ValidationError):
        order(open_account(acme_server), [f"a.{zone}"], DNS_01, lambda *_: None)
    dns_server.refuse_queries(zone, refused=False)
    assert dns_server.lookup(f"anything.{zone}") == ["192.0.2.1"]


def test_updates_need_the_key_and_can_be_refused(dns_server: DnsServer, zone: str) -> None:
    with pytest.raises(dns.tsig.PeerBadSignature):
        update(dns_server, zone, "a", "1", secret="d3Jvbmc=")
    assert dns_server.lookup(f"a.{zone}", "TXT") == []
    assert update(dns_server, zone, "a", "1") == dns.rcode.NOERROR
    dns_server.refuse_updates(zone)
    with pytest.raises(dns.tsig.PeerBadKey):
        update(dns_server, zone, "a", "2")
    assert dns_server.lookup(f"a.{zone}", "TXT") == ["1"]
    dns_server.refuse_updates(zone, refused=False)
    assert update(dns_server, zone, "a", "3") == dns.rcode.NOERROR
    assert dns_server.lookup(f"a.{zone}", "TXT") == ["3"]


def test_zones_survive_a_restart_and_a_fresh_one_is_empty(dns_server: DnsServer, zone: str) -> None:
    assert update(dns_server, zone, "kept", "1") == dns.rcode.NOERROR
    dns_server.stop()
    dns_server.start()
    assert dns_server.lookup(f"kept.{zone}", "TXT") == ["1"]
    dns_server.add_zone(zone)
    assert dns_server.lookup(f"kept.{zone}", "TXT") == []
