"""The page about an environment's name: who sees it, what it says, and what its buttons do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core import clock
from apps.domains.models import (
    BaseDomain,
    Certificate,
    CertificateOrder,
    CertificateStatus,
    Challenge,
    DnsProvider,
    DnsProviderKind,
)
from apps.environments.models import Environment
from apps.operations.models import Operation
from apps.servers.models import Server, SSHKey
from tests.cast import Cast
from tests.domains.conftest import make_environment

pytestmark = pytest.mark.django_db
ALL = ("domains", "check", "order")


@pytest.fixture
def environment(cast: Cast, settings: Any) -> Environment:
    settings.BASE_DOMAIN = "apps.example.test"
    settings.ACME_DIRECTORY_URL = "https://authority.example/directory"
    key = SSHKey.objects.create(organization=cast.acme, name="key", private_key="x", public_key="x", fingerprint="x")
    # Nobody answers there: looking is quick and finds nothing.
    server = Server.objects.create(
        organization=cast.acme, name="One", slug="one", address="127.0.0.1", http_port=9, https_port=9, ssh_key=key
    )
    return make_environment(cast.acme, server, "shop-development.apps.example.test")


def address(environment: Environment, name: str = "domains") -> str:
    return reverse(f"domains:{name}", args=["acme", environment.project.slug, environment.slug])


def make_certificate(environment: Environment, **fields: Any) -> Certificate:
    values = {
        "names": [environment.host_name],
        "directory_url": "https://authority.example/directory",
        "challenge": Challenge.HTTP,
        "organization": environment.organization,
    } | fields
    return Certificate.objects.create(**values)


@pytest.mark.parametrize("name", ALL)
def test_a_stranger_finds_nothing(cast: Cast, environment: Environment, sign_in: Any, name: str) -> None:
    client: Client = sign_in(cast.charlie)
    assert client.get(address(environment, name)).status_code in (404, 405)
    assert client.post(address(environment, name)).status_code in (404, 405)
    assert Client().get(address(environment)).status_code == 302


@pytest.mark.parametrize("name", ["check", "order"])
def test_buttons_are_pressed_not_visited(cast: Cast, environment: Environment, sign_in: Any, name: str) -> None:
    assert sign_in(cast.alice).get(address(environment, name)).status_code == 405


def test_it_says_which_record_to_set(cast: Cast, environment: Environment, sign_in: Any) -> None:
    text = sign_in(cast.vera).get(address(environment)).content.decode()
    assert environment.host_name in text
    assert "127.0.0.1" in text
    assert "set it at your DNS provider" in text


def test_with_a_provider_the_platform_writes_it(cast: Cast, environment: Environment, sign_in: Any) -> None:
    provider = DnsProvider.objects.create(name="Cloud", kind=DnsProviderKind.CLOUDFLARE)
    BaseDomain.objects.create(name="apps.example.test", dns_provider=provider)
    assert "the platform writes it" in sign_in(cast.bob).get(address(environment)).content.decode()


def test_a_failed_order_is_shown_in_the_authoritys_words(cast: Cast, environment: Environment, sign_in: Any) -> None:
    certificate = make_certificate(
        environment,
        status=CertificateStatus.FAILED,
        error="Fetching http://shop… Connection refused <b>",
        next_attempt_at=clock.now() + timedelta(minutes=10),
    )
    CertificateOrder.objects.create(
        certificate=certificate,
        names=certificate.names,
        registered_domains=["example.test"],
        directory_url=certificate.directory_url,
        challenge=Challenge.HTTP,
        outcome="failed",
        started_at=clock.now(),
        error="urn:ietf:params:acme:error:connection",
    )
    text = sign_in(cast.vera).get(address(environment)).content.decode()
    assert "Connection refused &lt;b&gt;" in text
    assert "urn:ietf:params:acme:error:connection" in text
    assert "Try again now" not in text
    assert "Try again now" in sign_in(cast.alice).get(address(environment)).content.decode()


def test_trying_again_needs_the_right_and_queues_once(cast: Cast, environment: Environment, sign_in: Any) -> None:
    make_certificate(environment, status=CertificateStatus.FAILED, error="no")
    for person in (cast.bob, cast.vera):
        assert sign_in(person).post(address(environment, "order")).status_code == 403
    client = sign_in(cast.alice)
    assert client.post(address(environment, "order")).status_code == 302
    assert client.post(address(environment, "order")).status_code == 302
    assert Operation.objects.count() == 1
    assert Operation.objects.get().organization == cast.acme


def test_the_shared_certificate_is_not_an_organizations_to_order(
    cast: Cast, environment: Environment, sign_in: Any
) -> None:
    make_certificate(
        environment, names=["*.apps.example.test", "apps.example.test"], organization=None, challenge=Challenge.DNS
    )
    client = sign_in(cast.alice)
    assert "Try again now" not in client.get(address(environment)).content.decode()
    client.post(address(environment, "order"))
    assert not Operation.objects.exists()


def test_another_organizations_certificate_is_not_shown(cast: Cast, environment: Environment, sign_in: Any) -> None:
    make_certificate(environment, organization=cast.umbrella, status=CertificateStatus.FAILED, error="theirs")
    assert "theirs" not in sign_in(cast.alice).get(address(environment)).content.decode()


def test_looking_now_says_what_is_missing(cast: Cast, environment: Environment, sign_in: Any, settings: Any) -> None:
    settings.DNS_SERVERS = ["127.0.0.1:9"]
    client = sign_in(cast.vera)
    whole = client.post(address(environment, "check")).content.decode()
    assert "<h1>" in whole
    part = client.post(address(environment, "check"), headers={"HX-Request": "true"}).content.decode()
    assert "<h1>" not in part
    assert "deploy the environment" in part


def test_the_page_asks_a_constant_number_of_questions(
    cast: Cast, environment: Environment, sign_in: Any, django_assert_max_num_queries: Any
) -> None:
    certificate = make_certificate(environment)
    for number in range(15):
        CertificateOrder.objects.create(
            certificate=certificate,
            names=certificate.names,
            registered_domains=["example.test"],
            directory_url=certificate.directory_url,
            challenge=Challenge.HTTP,
            outcome="failed",
            started_at=clock.now() - timedelta(hours=number),
        )
    client = sign_in(cast.alice)
    client.get(address(environment))  # the first page of a session notes the session
    with django_assert_max_num_queries(25):
        assert client.get(address(environment)).status_code == 200
