"""The shared certificate of a base domain: DNS-01 at a real authority, through a real DNS server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from django.db import connection

from apps.core.exceptions import Problem
from apps.domains import certificates
from apps.domains.models import (
    AcmeAccount,
    BaseDomain,
    Certificate,
    CertificateOrder,
    CertificateStatus,
    DnsRecord,
    OrderOutcome,
)
from apps.operations.exceptions import Cancelled
from tests.domains.conftest import Recorder, make_provider

if TYPE_CHECKING:
    from tests.lab.dns import DnsServer

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


def names_in(certificate: Certificate) -> list[str]:
    leaf = x509.load_pem_x509_certificates(certificate.chain.encode())[0]
    extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return sorted(extension.value.get_values_for_type(x509.DNSName))


def test_it_covers_the_domain_and_every_name_below(
    authority: str, base_domain: BaseDomain, run: Recorder, dns_server: DnsServer
) -> None:
    certificate = certificates.ensure_wildcard(base_domain, run=run)
    assert names_in(certificate) == [f"*.{base_domain.name}", base_domain.name]
    assert certificate.is_usable
    assert "BEGIN PRIVATE KEY" in certificate.private_key
    # A third of its life is left at the time of its renewal.
    life = certificate.not_after - certificate.not_before
    assert abs((certificate.not_after - certificate.renew_at) * 3 - life).total_seconds() < 1
    base_domain.refresh_from_db()
    assert base_domain.wildcard_certificate == certificate
    assert certificates.find_usable(f"shop-production.{base_domain.name}", None) == certificate
    assert certificates.find_usable(f"deeper.shop.{base_domain.name}", None) is None


def test_the_ledger_has_the_order_and_the_challenge_is_gone(
    authority: str, base_domain: BaseDomain, dns_server: DnsServer
) -> None:
    certificate = certificates.ensure_wildcard(base_domain)
    order = CertificateOrder.objects.get()
    assert (order.outcome, order.certificate, order.names) == (OrderOutcome.ISSUED, certificate, certificate.names)
    assert order.address.startswith("https://")
    assert not DnsRecord.objects.exists()
    assert dns_server.lookup(f"_acme-challenge.{base_domain.name}", "TXT") == []


def test_what_is_valid_is_not_ordered_again(authority: str, base_domain: BaseDomain) -> None:
    first = certificates.ensure_wildcard(base_domain)
    assert certificates.ensure_wildcard(base_domain).fingerprint == first.fingerprint
    assert CertificateOrder.objects.count() == 1


def test_twenty_that_need_it_at_once_order_it_once(authority: str, base_domain: BaseDomain) -> None:
    found: list[str] = []
    failures: list[BaseException] = []

    def need() -> None:
        try:
            found.append(certificates.ensure_wildcard(BaseDomain.objects.get(pk=base_domain.pk)).fingerprint)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=need) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures
    assert len(found) == 20
    assert len(set(found)) == 1
    assert CertificateOrder.objects.count() == 1


def test_the_account_is_made_once_and_found_again(authority: str, base_domain: BaseDomain) -> None:
    certificate = certificates.ensure_wildcard(base_domain)
    account = AcmeAccount.objects.get()
    assert account.address.startswith("https://")
    Certificate.objects.filter(pk=certificate.pk).update(renew_at=certificate.not_before)
    certificates.ensure_wildcard(BaseDomain.objects.get())
    assert AcmeAccount.objects.get().address == account.address
    assert CertificateOrder.objects.filter(outcome=OrderOutcome.ISSUED).count() == 2


def test_an_account_that_the_authority_forgot_is_registered_anew(
    authority: str, base_domain: BaseDomain, acme_server: Any
) -> None:
    certificate = certificates.ensure_wildcard(base_domain)
    acme_server.stop()
    acme_server.start()
    Certificate.objects.filter(pk=certificate.pk).update(renew_at=certificate.not_before)
    renewed = certificates.ensure_wildcard(BaseDomain.objects.get())
    assert renewed.fingerprint != certificate.fingerprint
    assert renewed.is_usable


def test_a_key_that_the_dns_server_does_not_know_is_said(
    authority: str, base_domain: BaseDomain, dns_server: DnsServer
) -> None:
    base_domain.dns_provider = make_provider(dns_server, key_secret="d3Jvbmctd3Jvbmctd3Jvbmc=")
    with pytest.raises(Problem) as caught:
        certificates.ensure_wildcard(base_domain)
    assert caught.value.code == "domains.dns_credentials_refused"
    assert "BADSIG" in caught.value.title
    base_domain.dns_provider = make_provider(dns_server, key_name="somebody-else")
    with pytest.raises(Problem, match=r"BADKEY|NOTAUTH"):
        certificates.ensure_wildcard(base_domain)
    certificate = Certificate.objects.get()
    assert certificate.status == CertificateStatus.FAILED
    assert certificate.failures == 2
    assert certificate.next_attempt_at > certificate.failed_at
    # Nothing was validated, so nothing counts against the limit of failed validations.
    assert all(order.failed_names == [] for order in CertificateOrder.objects.all())


def test_a_challenge_that_never_shows_is_not_presented_to_the_authority(
    authority: str, base_domain: BaseDomain, dns_server: DnsServer
) -> None:
    base_domain.dns_provider = make_provider(dns_server, propagation_seconds=3)
    dns_server.mislead_challenges(base_domain.name)
    with pytest.raises(Problem) as caught:
        certificates.ensure_wildcard(base_domain)
    assert caught.value.code == "domains.dns_not_propagated"
    assert "not-the-challenge" in caught.value.title
    assert CertificateOrder.objects.get().failed_names == []


def test_a_zone_that_refuses_updates_is_said_in_its_words(
    authority: str, base_domain: BaseDomain, dns_server: DnsServer
) -> None:
    dns_server.refuse_updates(base_domain.name)
    with pytest.raises(Problem, match=r"BADKEY|NOTAUTH|REFUSED"):
        certificates.ensure_wildcard(base_domain)


def test_an_authority_that_does_not_answer(settings: Any, authority: str, base_domain: BaseDomain) -> None:
    settings.ACME_DIRECTORY_URL = "https://127.0.0.1:9/dir"
    with pytest.raises(Problem) as caught:
        certificates.ensure_wildcard(base_domain)
    assert caught.value.code == "domains.acme_unreachable"
    assert "refused" in caught.value.title.lower()


def test_an_authority_whose_tls_is_not_trusted(settings: Any, authority: str, base_domain: BaseDomain) -> None:
    settings.ACME_CA_FILE = ""
    with pytest.raises(Problem, match="not trusted"):
        certificates.ensure_wildcard(base_domain)


def test_a_ca_file_that_is_not_there(settings: Any, authority: str, base_domain: BaseDomain) -> None:
    settings.ACME_CA_FILE = "/nowhere/authority.pem"
    with pytest.raises(Problem) as caught:
        certificates.ensure_wildcard(base_domain)
    assert caught.value.code == "domains.ca_file_unreadable"


def test_being_cancelled_leaves_no_challenge_behind(
    authority: str, base_domain: BaseDomain, run: Recorder, dns_server: DnsServer
) -> None:
    class Cancelling(Recorder):
        def info(self, text: str) -> None:
            super().info(text)
            if "All name servers" in text:
                self.stop = Cancelled()

    with pytest.raises(Cancelled):
        certificates.ensure_wildcard(base_domain, run=Cancelling())
    assert CertificateOrder.objects.get().outcome == OrderOutcome.CANCELLED
    assert Certificate.objects.get().status == CertificateStatus.PENDING
    assert not DnsRecord.objects.exists()
    assert dns_server.lookup(f"_acme-challenge.{base_domain.name}", "TXT") == []
    assert certificates.ensure_wildcard(BaseDomain.objects.get(), run=run).is_usable
