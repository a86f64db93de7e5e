"""The operation: ordered, brought to every server, its names turned to HTTPS; renewed by the scanner."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from apps.core import clock
from apps.core.exceptions import Problem
from apps.domains import issuing, scanning, services
from apps.domains.models import BaseDomain, Certificate, CertificateDelivery, CertificateOrder, DnsRecord, Route
from apps.domains.probing import probe
from apps.environments.changes import set_status
from apps.environments.models import Environment, Status
from apps.operations.models import Operation
from apps.operations.models import Status as OperationStatus
from apps.servers import states
from apps.servers.host import open_host
from apps.servers.models import Server
from tests.domains.conftest import Recorder, add_server, forget_routes, log_of, make_environment, prepare, work

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.lab.dns import DnsServer
    from tests.lab.server import LabServer

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def second_server(everybody: Cast, second_lab_server: LabServer, mirror: None, prepared_machines: set[str]) -> Server:
    server = add_server(everybody.acme, second_lab_server, everybody.alice)
    if second_lab_server.name in prepared_machines:
        states.bootstrapped(server)
    else:
        prepare(server, everybody.alice)
        prepared_machines.add(second_lab_server.name)
    forget_routes(second_lab_server)
    return server


def expose(environment: Environment) -> Route:
    with open_host(environment.server) as host:
        return services.configure_routing(environment=environment, host=host)


@pytest.fixture
def environment(everybody: Cast, server: Server, base_domain: BaseDomain, authority: str) -> Environment:
    return make_environment(everybody.acme, server, f"shop.{base_domain.name}")


def test_one_certificate_for_all_servers_and_names(
    environment: Environment, second_server: Server, everybody: Cast, base_domain: BaseDomain, dns_server: DnsServer
) -> None:
    other = make_environment(everybody.acme, second_server, f"other.{base_domain.name}")
    for one in (environment, other):
        expose(one)
        assert probe(one.server, one.host_name, "/web/database/x").status == 404
        assert dns_server.lookup(one.host_name) == [one.server.address]
    operation = work(issuing.issue_wildcard(base_domain, user=everybody.sam))
    assert operation.status == OperationStatus.COMPLETED, operation.error
    certificate = Certificate.objects.get()
    for one in (environment, other):
        assert probe(one.server, one.host_name, tls=True).fingerprint == certificate.fingerprint
        assert probe(one.server, one.host_name).status == 301
        assert Route.objects.get(environment=one).certificate == certificate
    assert CertificateDelivery.objects.filter(fingerprint=certificate.fingerprint, error="").count() == 2
    assert "PRIVATE KEY" not in log_of(operation)
    assert certificate.private_key.splitlines()[1] not in str(operation.data)


def test_a_deployment_does_not_wait_for_the_shared_certificate(
    environment: Environment, base_domain: BaseDomain, run: Recorder
) -> None:
    expose(environment)
    with open_host(environment.server) as host:
        result = services.request_certificate(environment=environment, host=host, run=run)
        assert result.state == "pending"
        again = services.request_certificate(environment=environment, host=host, run=run)
    assert again.state == "pending"
    operation = work(Operation.objects.get(kind=issuing.ISSUE_KIND))
    assert operation.status == OperationStatus.COMPLETED
    with open_host(environment.server) as host:
        assert services.request_certificate(environment=environment, host=host, run=run).state == "shared"
    assert probe(environment.server, environment.host_name).status == 301


def test_the_scanner_renews_and_brings_it_to_the_servers_again(
    environment: Environment, everybody: Cast, base_domain: BaseDomain
) -> None:
    expose(environment)
    work(issuing.issue_wildcard(base_domain))
    first = Certificate.objects.get()
    with clock.freeze(first.renew_at - timedelta(minutes=1)):
        assert scanning.scan() == 0
    with clock.freeze(first.renew_at + timedelta(minutes=1)):
        assert scanning.scan() == 1
        # What is under way is not queued again.
        assert scanning.scan() == 0
        operation = work(Operation.objects.get(status=OperationStatus.QUEUED))
    assert operation.status == OperationStatus.COMPLETED, operation.error
    renewed = Certificate.objects.get()
    assert renewed.fingerprint != first.fingerprint
    assert probe(environment.server, environment.host_name, tls=True).fingerprint == renewed.fingerprint
    assert CertificateOrder.objects.filter(outcome="issued").count() == 2


def test_a_server_that_is_gone_gets_it_later(
    environment: Environment,
    second_server: Server,
    second_lab_server: LabServer,
    everybody: Cast,
    base_domain: BaseDomain,
) -> None:
    other = make_environment(everybody.acme, second_server, f"other.{base_domain.name}")
    for one in (environment, other):
        expose(one)
    second_lab_server.cut_off()
    try:
        operation = work(issuing.issue_wildcard(base_domain))
    finally:
        second_lab_server.reconnect()
    assert operation.status == OperationStatus.COMPLETED, operation.error
    assert "did not get it" in log_of(operation)
    certificate = Certificate.objects.get()
    assert probe(environment.server, environment.host_name, tls=True).fingerprint == certificate.fingerprint
    assert CertificateDelivery.objects.get(server=second_server).error
    assert scanning.scan() == 0
    with clock.freeze(clock.now() + scanning.SECOND_TRY_AFTER + timedelta(minutes=1)):
        assert scanning.scan() == 1
        work(Operation.objects.get(status=OperationStatus.QUEUED))
    assert probe(second_server, other.host_name, tls=True).fingerprint == certificate.fingerprint
    assert probe(second_server, other.host_name).status == 301
    assert CertificateOrder.objects.count() == 1


def test_anew_orders_though_the_present_one_is_good(base_domain: BaseDomain, authority: str, everybody: Cast) -> None:
    work(issuing.issue_wildcard(base_domain))
    first = Certificate.objects.get().fingerprint
    work(issuing.issue_wildcard(base_domain))
    assert Certificate.objects.get().fingerprint == first
    work(issuing.issue_wildcard(base_domain, anew=True))
    assert Certificate.objects.get().fingerprint != first


def test_an_order_that_fails_says_why_and_is_tried_later(
    base_domain: BaseDomain, authority: str, everybody: Cast, dns_server: DnsServer
) -> None:
    dns_server.refuse_updates(base_domain.name)
    operation = work(issuing.issue_wildcard(base_domain))
    assert operation.status == OperationStatus.FAILED
    assert operation.error_code == "domains.dns_credentials_refused"
    assert scanning.scan() == 0
    dns_server.refuse_updates(base_domain.name, False)
    with clock.freeze(clock.now() + timedelta(minutes=11)):
        assert scanning.scan() == 1
        operation = work(Operation.objects.get(status=OperationStatus.QUEUED))
    assert operation.status == OperationStatus.COMPLETED, operation.error


def test_a_base_domain_by_hand_has_no_wildcard(base_domain: BaseDomain, authority: str, provider: Any) -> None:
    provider.kind = "manual"
    provider.save()
    with pytest.raises(Problem) as caught:
        issuing.issue_wildcard(BaseDomain.objects.get())
    assert caught.value.code == "domains.dns_by_hand"


def test_a_stopped_environment_shows_its_page_and_comes_back(environment: Environment, odoo: Any) -> None:
    with open_host(environment.server) as host:
        services.configure_routing(environment=environment, host=host, upstream=odoo("open"))
    for status, expected in ((Status.STOPPED, 503), (Status.PAUSED, 503), (Status.RUNNING, 200)):
        set_status(environment, status)
        operation = work(Operation.objects.get(kind="domains.update_route", status=OperationStatus.QUEUED))
        assert operation.status == OperationStatus.COMPLETED, operation.error
        assert probe(environment.server, environment.host_name).status == expected
    # Where nothing has to change nothing is queued.
    set_status(environment, Status.ERROR)
    set_status(environment, Status.RUNNING)
    assert not Operation.objects.filter(status=OperationStatus.QUEUED).exists()


def test_destroying_takes_the_name_away(environment: Environment, dns_server: DnsServer, run: Recorder) -> None:
    from apps.environments.signals import environment_leaving

    expose(environment)
    with open_host(environment.server) as host:
        for _ in range(2):
            environment_leaving.send(Environment, environment=environment, host=host, run=run)
    assert dns_server.lookup(environment.host_name) == []
    assert not Route.objects.exists()
    assert not DnsRecord.objects.exists()
