"""A certificate of one name by HTTP-01, behind a real server's proxy, from a real authority."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from apps.core import clock
from apps.core.exceptions import Problem
from apps.domains import certificates, ledger, services
from apps.domains.models import Certificate, CertificateOrder, CertificateStatus, Challenge, OrderOutcome
from apps.domains.probing import probe
from apps.environments.models import Environment
from apps.servers.host import Host
from apps.servers.models import Server
from tests.domains.conftest import Recorder, make_environment

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.lab.dns import DnsServer
    from tests.lab.server import LabServer

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment(everybody: Cast, server: Server, settings: Any, zone: str, dns_server: DnsServer) -> Environment:
    """Its name leads to the server; the platform has no provider for the zone."""
    settings.BASE_DOMAIN = zone
    dns_server.set_records(zone, "shop", "A", [server.address])
    return make_environment(everybody.acme, server, f"shop.{zone}")


def ensure(environment: Environment, host: Host, run: Recorder) -> Certificate | None:
    return certificates.ensure_for(
        environment.host_name,
        host=host,
        server=environment.server,
        organization=environment.organization,
        run=run,
    )


def test_it_is_issued_and_the_token_is_gone(
    authority: str, environment: Environment, host: Host, run: Recorder, lab_server: LabServer
) -> None:
    certificate = ensure(environment, host, run)
    assert certificate.is_usable
    assert certificate.challenge == Challenge.HTTP
    assert certificate.organization == environment.organization
    pages = {"stopped.html", "paused.html", "maintenance.html", "unavailable.html", "ready"}
    assert {file.name for file in lab_server.path("/opt/oecsh/proxy/challenges").iterdir()} == pages


def test_through_routing_and_certificate_to_https(
    authority: str, environment: Environment, host: Host, run: Recorder, odoo: Any, lab_server: LabServer
) -> None:
    upstream = odoo("shop")
    route = services.configure_routing(environment=environment, host=host, upstream=upstream, run=run)
    assert route.certificate is None
    assert f"shop.{environment.host_name.partition('.')[2]} A {environment.server.address}" in run.text
    assert probe(environment.server, environment.host_name, "/8069").status == 404
    result = services.request_certificate(environment=environment, host=host, run=run)
    assert result.state == "own"
    answer = probe(environment.server, environment.host_name, tls=True)
    assert answer.fingerprint == result.certificate.fingerprint
    assert answer.text.strip() == "shop"
    assert probe(environment.server, environment.host_name).status == 301
    key = next(lab_server.path("/opt/oecsh/proxy/certificates").glob("*.key"))
    assert key.stat().st_mode & 0o777 == 0o600
    # Doing both again orders nothing and changes nothing.
    services.configure_routing(environment=environment, host=host, upstream=upstream, run=run)
    services.request_certificate(environment=environment, host=host, run=run)
    assert CertificateOrder.objects.count() == 1
    assert probe(environment.server, environment.host_name).status == 301


def test_a_name_that_does_not_resolve_is_not_ordered_at_the_authority(
    authority: str, everybody: Cast, server: Server, host: Host, zone: str, settings: Any, run: Recorder
) -> None:
    settings.BASE_DOMAIN = zone
    environment = make_environment(everybody.acme, server, f"missing.{zone}")
    services.configure_routing(environment=environment, host=host, run=run)
    result = services.request_certificate(environment=environment, host=host, run=run)
    assert result.state == "failed"
    assert "does not resolve" in result.text
    assert f"missing.{zone} A {server.address}" in result.text
    # The deployment goes on: the name answers over HTTP.
    assert environment.route.specification["tls"] is False
    order = CertificateOrder.objects.get()
    assert (order.outcome, order.failed_names) == (OrderOutcome.FAILED, [])
    certificate = Certificate.objects.get()
    assert certificate.next_attempt_at - certificate.failed_at == timedelta(minutes=10)


def test_a_failed_validation_is_shown_in_the_authoritys_words_and_counted(
    authority: str, everybody: Cast, server: Server, host: Host, zone: str, settings: Any, dns_server: DnsServer
) -> None:
    settings.BASE_DOMAIN = zone
    dns_server.set_records(zone, "shop", "A", [server.address])
    environment = make_environment(everybody.acme, server, f"shop.{zone}")
    # We look where the token is; the authority looks where nobody answers.
    host.docker.containers.get("oecsh_proxy").stop(timeout=5)
    forwarder = start_on_another_port(host)
    settings.ACME_HTTP_PORT = 8088
    settings.ACME_LIMITED_DIRECTORIES = [authority]
    try:
        for number in range(1, 6):
            with pytest.raises(Problem) as caught:
                ensure(environment, host, Recorder())
            assert caught.value.code == "domains.validation_failed"
            assert "connection refused" in caught.value.title
            assert "urn:ietf:params:acme:error:connection" in caught.value.title
            order = CertificateOrder.objects.latest("started_at")
            assert (order.outcome, order.failed_names) == (OrderOutcome.FAILED, [environment.host_name])
            assert order.error_type == "urn:ietf:params:acme:error:connection"
            assert Certificate.objects.get().failures == number
        with pytest.raises(ledger.LimitReached) as refused:
            ensure(environment, host, Recorder())
    finally:
        host.docker.containers.get(forwarder).remove(force=True)
        host.docker.containers.get("oecsh_proxy").start()
    assert "5 failed validations per host and hour" in refused.value.title
    assert CertificateOrder.objects.latest("started_at").outcome == OrderOutcome.REFUSED
    certificate = Certificate.objects.get()
    assert certificate.status == CertificateStatus.FAILED
    first = CertificateOrder.objects.filter(outcome=OrderOutcome.FAILED).earliest("finished_at")
    until_allowed = certificate.next_attempt_at - (first.finished_at + timedelta(hours=1))
    assert abs(until_allowed) < timedelta(seconds=1)


def start_on_another_port(host: Host) -> str:
    """Something that answers with the tokens on port 8088 of the server, without the proxy."""
    script = "mkdir -p /www/.well-known && ln -s /opt/oecsh/proxy/challenges /www/.well-known/acme-challenge"
    container = host.docker.containers.run(
        "busybox:stable",
        ["sh", "-c", f"{script} && exec httpd -f -p 8080 -h /www"],
        ports={"8080/tcp": 8088},
        volumes={"/opt/oecsh/proxy/challenges": {"bind": "/opt/oecsh/proxy/challenges", "mode": "ro"}},
        detach=True,
        init=True,
    )
    return container.id


def test_without_an_authority_it_is_said_honestly(
    everybody: Cast, server: Server, host: Host, settings: Any, run: Recorder, odoo: Any
) -> None:
    settings.BASE_DOMAIN = "apps.localhost"
    settings.ACME_DIRECTORY_URL = ""
    environment = make_environment(everybody.acme, server, "shop.apps.localhost")
    services.configure_routing(environment=environment, host=host, upstream=odoo("local"), run=run)
    result = services.request_certificate(environment=environment, host=host, run=run)
    assert result.state == "none"
    assert "No certificate authority is configured" in run.text
    assert "needs no record" in run.text
    for tls in (False, True):
        assert probe(server, environment.host_name, tls=tls).text.strip() == "local"
    assert not Certificate.objects.exists()


def test_it_is_renewed_when_a_third_of_its_life_is_left(
    authority: str, environment: Environment, host: Host, run: Recorder
) -> None:
    first = ensure(environment, host, run)
    with clock.freeze(first.renew_at - timedelta(minutes=1)):
        assert ensure(environment, host, run).fingerprint == first.fingerprint
    with clock.freeze(first.renew_at + timedelta(minutes=1)):
        assert Certificate.objects.due().get() == first
        assert ensure(environment, host, run).fingerprint != first.fingerprint


def test_leaving_takes_everything_away(
    authority: str, environment: Environment, host: Host, run: Recorder, odoo: Any, lab_server: LabServer
) -> None:
    services.configure_routing(environment=environment, host=host, upstream=odoo(), run=run)
    certificate = services.request_certificate(environment=environment, host=host, run=run).certificate
    for _ in range(2):
        services.remove_routing(environment=environment, host=host, run=run)
    certificate.refresh_from_db()
    assert not certificate.is_wanted
    assert [file.name for file in lab_server.path("/opt/oecsh/proxy/dynamic").iterdir()] == ["shared.yml"]
    assert list(lab_server.path("/opt/oecsh/proxy/certificates").iterdir()) == []
