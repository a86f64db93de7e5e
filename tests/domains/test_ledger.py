"""The limits of certificate authorities, kept by not asking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.domains import ledger
from apps.domains.models import Certificate, CertificateOrder, Challenge, OrderOutcome

pytestmark = pytest.mark.django_db
DIRECTORY = "https://authority.example/directory"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def limited(settings: Any) -> None:
    settings.ACME_LIMITED_DIRECTORIES = [DIRECTORY]


def make_certificate(*names: str, directory_url: str = DIRECTORY) -> Certificate:
    certificate, _ = Certificate.objects.get_or_create(
        names=sorted(names), directory_url=directory_url, defaults={"challenge": Challenge.HTTP}
    )
    return certificate


def ordered(certificate: Certificate, moment: datetime, outcome: str, failed_names: list[str] | None = None) -> None:
    with clock.freeze(moment):
        order = ledger.open_order(certificate)
        order.failed_names = failed_names or []
        ledger.close_order(order, OrderOutcome(outcome))


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("*.shop.example.co.uk", "example.co.uk"),
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
    ],
)
def test_the_registered_domain_follows_the_public_suffix_list(name: str, domain: str) -> None:
    assert ledger.registered_domain(name) == domain


def test_the_sixth_duplicate_in_a_week_is_not_asked_for() -> None:
    certificate = make_certificate("shop.example.com")
    for hours in range(5):
        ordered(certificate, NOON + timedelta(hours=hours), "issued")
    with clock.freeze(NOON + timedelta(days=3)), pytest.raises(ledger.LimitReached) as refused:
        ledger.open_order(certificate)
    assert refused.value.available_at == NOON + timedelta(days=7)
    assert "2026-03-09 12:00 UTC" in refused.value.what_to_do
    line = CertificateOrder.objects.latest("created_at")
    assert line.outcome == OrderOutcome.REFUSED
    assert "5 certificates with the same names a week" in line.error
    with clock.freeze(NOON + timedelta(days=7, seconds=1)):
        assert ledger.open_order(certificate).outcome == OrderOutcome.STARTED


def test_the_fifty_first_certificate_of_a_domain_is_not_asked_for() -> None:
    for number in range(50):
        ordered(make_certificate(f"shop{number}.example.com"), NOON + timedelta(minutes=number), "issued")
    with clock.freeze(NOON + timedelta(days=1)):
        with pytest.raises(ledger.LimitReached) as refused:
            ledger.open_order(make_certificate("one-more.example.com"))
        assert refused.value.available_at == NOON + timedelta(days=7)
        # Another registered domain has its own count, and what was issued before is a renewal, which does not count.
        assert ledger.open_order(make_certificate("shop.example.org"))
        assert ledger.open_order(make_certificate("shop7.example.com"))


def test_after_five_failed_validations_a_host_waits_an_hour() -> None:
    certificate = make_certificate("shop.example.com")
    for minutes in range(5):
        ordered(certificate, NOON + timedelta(minutes=minutes), "failed", ["shop.example.com"])
    with clock.freeze(NOON + timedelta(minutes=30)):
        with pytest.raises(ledger.LimitReached) as refused:
            ledger.open_order(certificate)
        assert refused.value.available_at == NOON + timedelta(hours=1)
        with pytest.raises(ledger.LimitReached):
            ledger.open_order(make_certificate("shop.example.com", "www.example.com"))
        assert ledger.open_order(make_certificate("other.example.com"))
    with clock.freeze(NOON + timedelta(minutes=61)):
        assert ledger.open_order(certificate)


def test_failures_before_the_validation_do_not_count() -> None:
    certificate = make_certificate("shop.example.com")
    for minutes in range(9):
        ordered(certificate, NOON + timedelta(minutes=minutes), "failed")
    with clock.freeze(NOON + timedelta(minutes=10)):
        assert ledger.open_order(certificate)


def test_a_directory_without_limits_is_always_asked() -> None:
    certificate = make_certificate("shop.example.com", directory_url="https://private.example/directory")
    for minutes in range(9):
        ordered(certificate, NOON + timedelta(minutes=minutes), "failed", ["shop.example.com"])
        ordered(certificate, NOON + timedelta(minutes=minutes), "issued")
    assert ledger.open_order(certificate)


def test_an_order_that_a_dead_worker_left_open_is_closed_by_the_next() -> None:
    certificate = make_certificate("shop.example.com")
    abandoned = ledger.open_order(certificate)
    ledger.open_order(certificate)
    abandoned.refresh_from_db()
    assert abandoned.outcome == OrderOutcome.CANCELLED
    assert "stopped in the middle" in abandoned.error
