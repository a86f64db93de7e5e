"""Records at companies' services, which are played by small servers that speak their protocols."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from apps.core.exceptions import Problem
from apps.domains.dns_providers import writer_for
from apps.domains.dns_providers.base import DnsWriter
from apps.domains.models import DnsProvider
from tests.domains.companies import TOKEN, Cloudflare, DigitalOcean, Route53, Zones

SECRETS = {"auth_token": TOKEN, "auth_access_key": "AKIATEST", "auth_access_secret": "secret-of-the-test"}
KINDS = {"cloudflare": Cloudflare, "digitalocean": DigitalOcean, "route53": Route53}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def service(kind: str) -> Zones:
    return KINDS[kind]()


@pytest.fixture
def make_writer(kind: str, service: Zones, company: Callable[..., Any]) -> Callable[..., DnsWriter]:
    running = company(service)

    def make(secrets: dict[str, str] = SECRETS, **settings: Any) -> DnsWriter:
        settings = {"endpoint": running.url} | settings
        return writer_for(DnsProvider(name="Ours", kind=kind, settings=settings, credentials=json.dumps(secrets)))

    return make


@pytest.fixture
def writer(make_writer: Callable[..., DnsWriter]) -> DnsWriter:
    return make_writer()


RECORDS = [
    ("_acme-challenge.apps.example.com", "TXT", "Gz1-_validation"),
    ("shop.apps.example.com", "A", "192.0.2.7"),
    ("shop.apps.example.com", "AAAA", "2001:db8::7"),
    ("shop.apps.example.com", "CNAME", "server.example.net"),
    ("example.com", "A", "192.0.2.8"),
    ("*.apps.example.com", "A", "192.0.2.9"),
]


@pytest.mark.parametrize(("name", "record_type", "value"), RECORDS)
def test_a_record_is_written_read_and_removed(writer: DnsWriter, name: str, record_type: str, value: str) -> None:
    assert writer.values("example.com", name, record_type) == []
    for _ in range(2):
        writer.add("example.com", name, record_type, value, 60)
        assert writer.values("example.com", name, record_type) == [value]
    for _ in range(2):
        writer.remove("example.com", name, record_type, value)
        assert writer.values("example.com", name, record_type) == []


def test_two_values_of_one_name_stand_beside_each_other(writer: DnsWriter) -> None:
    name = "_acme-challenge.apps.example.com"
    writer.add("example.com", name, "TXT", "first", 60)
    writer.add("example.com", name, "TXT", "second", 60)
    assert sorted(writer.values("example.com", name, "TXT")) == ["first", "second"]
    writer.remove("example.com", name, "TXT", "first")
    assert writer.values("example.com", name, "TXT") == ["second"]


def test_the_zone_is_the_longest_that_the_account_has(writer: DnsWriter, service: Zones) -> None:
    assert writer.zone_of("shop.apps.example.com") == "example.com"
    service.zones.append("apps.example.com")
    assert writer.zone_of("*.apps.example.com") == "apps.example.com"


def test_a_name_in_no_zone_of_the_account(writer: DnsWriter) -> None:
    with pytest.raises(Problem) as caught:
        writer.zone_of("shop.example.net")
    assert caught.value.code == "domains.dns_zone_unknown"


def test_a_zone_in_the_settings_is_believed(make_writer: Callable[..., DnsWriter], service: Zones) -> None:
    assert make_writer(zone="apps.example.com.").zone_of("shop.apps.example.com") == "apps.example.com"
    assert service.calls == []
    with pytest.raises(Problem, match="no zone for"):
        make_writer(zone="example.org").zone_of("shop.apps.example.com")


def test_wrong_credentials_are_said_in_the_companys_words(make_writer: Callable[..., DnsWriter]) -> None:
    writer = make_writer(dict.fromkeys(SECRETS, "wrong-one"))
    with pytest.raises(Problem) as caught:
        writer.zone_of("shop.example.com")
    assert caught.value.code == "domains.dns_credentials_refused"
    assert any(
        words in caught.value.title for words in ("Invalid access token", "Unable to authenticate", "token included")
    )
    assert "wrong-one" not in caught.value.title


def test_missing_credentials(make_writer: Callable[..., DnsWriter]) -> None:
    with pytest.raises(Problem) as caught:
        make_writer({})
    assert caught.value.code == "domains.dns_settings_incomplete"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_company_in_trouble(make_writer: Callable[..., DnsWriter], service: Zones, status: int, kind: str) -> None:
    service.failure = (status, b"<html>trouble</html>")
    with pytest.raises(Problem) as caught:
        make_writer().zone_of("shop.example.com")
    assert caught.value.code == ("domains.dns_refused" if kind == "route53" else "domains.dns_unreachable")


def test_a_company_that_refuses_the_record(writer: DnsWriter) -> None:
    with pytest.raises(Problem) as caught:
        writer.add("example.com", "shop.example.com", "A", "not-an-address", 60)
    assert caught.value.code == "domains.dns_refused"
    assert "valid IPv4 address" in caught.value.title


def test_a_company_that_does_not_answer(make_writer: Callable[..., DnsWriter]) -> None:
    with pytest.raises(Problem) as caught:
        make_writer(endpoint="http://127.0.0.1:9").zone_of("shop.example.com")
    assert caught.value.code == "domains.dns_unreachable"


@pytest.mark.parametrize("endpoint", ["http://192.0.2.1", "ftp://127.0.0.1", "https://169.254.169.254", "file:///etc"])
def test_an_endpoint_that_the_guard_refuses(make_writer: Callable[..., DnsWriter], endpoint: str) -> None:
    with pytest.raises(Problem) as caught:
        make_writer(endpoint=endpoint).zone_of("shop.example.com")
    assert caught.value.code == "core.address_not_allowed"


def test_an_endpoint_whose_name_points_elsewhere_after_the_check(
    make_writer: Callable[..., DnsWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer(endpoint="https://dns.example.com")
    answers = ["93.184.215.14", "169.254.169.254"]

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    writer.check_settings()
    with pytest.raises(Problem) as caught:
        writer.zone_of("shop.example.com")
    assert caught.value.code == "core.address_not_allowed"
    assert "169.254.169.254" in caught.value.what_to_do


def test_somebody_faster_at_route_53_loses_nothing(company: Callable[..., Any]) -> None:
    service = Route53()
    credentials = json.dumps(SECRETS)
    settings = {"endpoint": company(service).url}
    writer = writer_for(DnsProvider(name="Ours", kind="route53", settings=settings, credentials=credentials))
    writer.add("example.com", "_acme-challenge.example.com", "TXT", "first", 60)
    service.meddle = '"from-somebody-else"'
    writer.add("example.com", "_acme-challenge.example.com", "TXT", "second", 60)
    found = writer.values("example.com", "_acme-challenge.example.com", "TXT")
    assert sorted(found) == ["first", "from-somebody-else", "second"]


def test_by_hand_nothing_is_written() -> None:
    with pytest.raises(Problem) as caught:
        writer_for(DnsProvider(name="Paper", kind="manual"))
    assert caught.value.code == "domains.dns_by_hand"
