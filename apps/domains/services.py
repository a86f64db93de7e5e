"""What other apps ask for: an environment's name leads to its Odoo, with a certificate where one can be had."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from typing import Any

from apps.core import clock
from apps.core.exceptions import Problem, RetryableError
from apps.core.outgoing import check_address
from apps.domains import certificates, delivery, dns_records, routing
from apps.domains.base_domains import address_for, base_domain_of
from apps.domains.issuing import queue_issue
from apps.domains.locks import locked
from apps.domains.models import BaseDomain, Certificate, DnsRecord, Route
from apps.domains.models.certificates import CertificateQuerySet
from apps.domains.progress import Progress, quiet
from apps.domains.routes import RouteSpecification, RouteState
from apps.environments.models import Environment
from apps.operations.models import Trigger
from apps.servers.host import Host


class CertificateState(enum.StrEnum):
    """How an environment stands with TLS."""

    SHARED = "shared"
    OWN = "own"
    PENDING = "pending"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True)
class CertificateResult:
    """`text` is a sentence for the log and the page."""

    state: CertificateState
    text: str
    certificate: Certificate | None = None


def configure_routing(
    *,
    environment: Environment,
    host: Host,
    upstream: str = "",
    state: RouteState = RouteState.OPEN,
    run: Progress = quiet,
) -> Route:
    """The name's record is written (or named, where a person must set it), the certificate that there is lies on the
    server, and the proxy was seen to use the route. Doing it again changes nothing.

    `upstream` is the name or address of the Odoo container in the environment's network. What is wrong with records
    is a warning, because the name may point here already; a route that the proxy does not take raises Problem
    `domains.route_broken`, after the one from before was put back.
    """
    ensure_system_record(environment, run=run)
    certificate = _deliver_usable(environment, host, run)
    specification = specification_of(environment, upstream=upstream, state=state, tls=certificate is not None)
    return _apply(environment, host, specification, certificate, run)


def specification_of(
    environment: Environment, *, upstream: str = "", state: RouteState = RouteState.OPEN, tls: bool
) -> RouteSpecification:
    """The route of an environment as it is set now."""
    return RouteSpecification(
        environment_id=str(environment.pk),
        host_names=(environment.host_name,),
        odoo_version=environment.project.odoo_version,
        workers=environment.workers,
        upstream=upstream or environment.container_name("odoo"),
        tls=tls,
        https_port=environment.server.https_port,
        state=state,
    )


def change_route(route: Route, *, host: Host, run: Progress = quiet, **changes: Any) -> Route:
    """Applies the route again as it was applied last, with `changes` to its specification (`state`, `tls` …), and with
    the certificate that there is now."""
    environment = route.environment
    certificate = _deliver_usable(environment, host, run)
    changes.setdefault("tls", certificate is not None)
    with locked(f"route:{environment.pk}", run=run):
        route.refresh_from_db()
        specification = dataclasses.replace(load_specification(route), **changes)
        return _apply_locked(environment, host, specification, certificate, run)


def load_specification(route: Route) -> RouteSpecification:
    """The specification that was applied last."""
    stored = dict(route.specification)
    stored["host_names"] = tuple(stored["host_names"])
    stored["state"] = RouteState(stored["state"])
    return RouteSpecification(**stored)


def request_certificate(*, environment: Environment, host: Host, run: Progress = quiet) -> CertificateResult:
    """What a deployment asks for after its route is in place. It never waits for a shared certificate, and never fails
    for want of one: the result, and a warning in the log, say how things stand. A route that has its certificate
    redirects plain HTTP from then on. Raises ConnectionLost (which is tried again), Problem `domains.route_broken`."""
    base = base_domain_of(environment.host_name)
    usable = certificates.find_usable(environment.host_name, environment.organization)
    if usable is not None:
        result = _result_of(usable)
        if not environment.route.specification.get("tls"):
            change_route(environment.route, host=host, run=run)
    elif certificates.has_wildcard(base):
        result = _order_shared(base)
    elif certificates.directory_for(base):
        result = _order_own(environment, base, host, run)
    else:
        text = "No certificate authority is configured: the environment answers over HTTP, and over HTTPS with the "
        result = CertificateResult(
            CertificateState.NONE, text + "proxy's own certificate, which browsers do not trust."
        )
    (run.warning if result.state in (CertificateState.FAILED, CertificateState.PENDING) else run.info)(result.text)
    return result


def _result_of(certificate: Certificate) -> CertificateResult:
    shared = certificate.is_shared
    kind = "shared certificate" if shared else "certificate"
    text = f"The {kind} for {certificate} is valid until {certificate.not_after:%Y-%m-%d %H:%M} UTC."
    return CertificateResult(CertificateState.SHARED if shared else CertificateState.OWN, text, certificate)


def _order_shared(base: BaseDomain) -> CertificateResult:
    certificate = certificates.wildcard_row(base)
    queue_issue(certificate, trigger=Trigger.FOLLOW_UP)
    text = f"The shared certificate for {certificate} is being ordered; until it is there the environment answers over "
    text += f"HTTP. The last try failed: {certificate.error}" if certificate.error else "HTTP."
    return CertificateResult(CertificateState.PENDING, text, certificate)


def _order_own(environment: Environment, base: BaseDomain | None, host: Host, run: Progress) -> CertificateResult:
    try:
        certificate = certificates.ensure_for(
            environment.host_name,
            host=host,
            server=environment.server,
            organization=environment.organization,
            base_domain=base,
            run=run,
        )
        change_route(environment.route, host=host, run=run)
    except Problem as problem:
        if isinstance(problem, RetryableError) or problem.code == "domains.route_broken":
            raise
        text = f"There is no certificate yet: {problem.title} {problem.what_to_do} The platform tries again by itself."
        return CertificateResult(CertificateState.FAILED, text)
    return _result_of(certificate)


def ensure_system_record(environment: Environment, *, run: Progress = quiet) -> str:
    """Writes the record of the system name where the platform can, and says in one sentence how it stands."""
    base = base_domain_of(environment.host_name)
    address = address_for(environment.server, base)
    if base is None or not address:
        return _told(run, f"{environment.host_name} needs no record of its own.")
    wanted = dns_records.wanted_record(environment.host_name, address)
    if base.dns_provider is None or not base.dns_provider.is_automatic:
        return _told(run, f"Set this record at your DNS provider, unless a wildcard record answers already: {wanted}")
    try:
        # Guarded at each use, as every address that a person gave: a name may lead elsewhere than when it was entered.
        check_address(address, environment.server.https_port)
        dns_records.ensure_record(base.dns_provider, wanted.name, address, environment=environment)
    except Problem as problem:
        text = f"The record {wanted} could not be written: {problem.title} {problem.what_to_do}"
        run.warning(text)
        return text
    return _told(run, f"The record {wanted} is written at {base.dns_provider.name}.")


def remove_routing(*, environment: Environment, host: Host, run: Progress = quiet) -> None:
    """Takes the name away: route, records, and a certificate of its own. Harmless a second time."""
    routing.remove_route(host, environment.pk)
    dns_records.remove_of(environment, run=run)
    for certificate in _own_certificates(environment):
        delivery.withdraw(certificate, host=host, server=environment.server)
    forget_name(environment)
    run.info(f"{environment.host_name} leads nowhere any more.")


def forget_name(environment: Environment) -> None:
    """Takes the name out of our books, without its server. Records that are still there are removed by the scanner."""
    _own_certificates(environment).update(is_wanted=False, updated_at=clock.now())
    DnsRecord.objects.filter(environment=environment).update(environment=None)
    Route.objects.filter(environment=environment).delete()


def _own_certificates(environment: Environment) -> CertificateQuerySet:
    return Certificate.objects.filter(names=[environment.host_name], organization=environment.organization)


def _deliver_usable(environment: Environment, host: Host, run: Progress) -> Certificate | None:
    certificate = certificates.find_usable(environment.host_name, environment.organization)
    if certificate is None:
        return None
    try:
        delivery.deliver(certificate, host=host, server=environment.server, run=run)
    except Problem as problem:
        if isinstance(problem, RetryableError):
            raise
        run.warning(f"{problem.title} {problem.what_to_do}")
        return None
    return certificate


def _apply(
    environment: Environment,
    host: Host,
    specification: RouteSpecification,
    certificate: Certificate | None,
    run: Progress,
) -> Route:
    with locked(f"route:{environment.pk}", run=run):
        return _apply_locked(environment, host, specification, certificate, run)


def _apply_locked(
    environment: Environment,
    host: Host,
    specification: RouteSpecification,
    certificate: Certificate | None,
    run: Progress,
) -> Route:
    try:
        applied = routing.apply_route(host, specification, server=environment.server, run=run)
    except Problem as problem:
        Route.objects.filter(environment=environment).update(error=str(problem), updated_at=clock.now())
        raise
    if applied.changed:
        run.info(f"The proxy uses the route of {environment.host_name} ({applied.seconds:.1f} s).")
    route, _ = Route.objects.update_or_create(
        environment=environment,
        defaults={
            "server": environment.server,
            "host_name": environment.host_name,
            "certificate": certificate,
            "specification": dataclasses.asdict(specification),
            "applied_at": clock.now(),
            "error": "",
        },
    )
    environment.route = route
    return route


def _told(run: Progress, text: str) -> str:
    run.info(text)
    return text
