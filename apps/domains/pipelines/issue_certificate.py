"""Ordering a certificate, bringing it to every server that needs it, and turning its names to HTTPS.

Each step looks first, so a worker that takes over in the middle orders nothing twice. What fails on one server is
written down and tried again by the scanner; the others are not held up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from apps.core.exceptions import Problem
from apps.domains import certificates, delivery, ledger, services
from apps.domains.challenges import DnsSolver, HttpSolver, Solver
from apps.domains.dns_providers import writer_for
from apps.domains.issuing import ISSUE_KIND
from apps.domains.models import Certificate, Challenge, DnsProvider, Route
from apps.operations.pipeline import Pipeline, Step, register
from apps.operations.run import Run
from apps.servers.host import open_host
from apps.servers.models import Server


@dataclass
class Context:
    """What the steps get."""

    run: Run
    certificate: Certificate

    @property
    def issued_since(self) -> datetime | None:
        """Set where a person wants a new one though the present one is good."""
        return self.run.operation.created_at if self.run.parameters.get("anew") else None


@contextlib.contextmanager
def open_context(run: Run) -> Iterator[Context]:
    """The certificate as it is now."""
    yield Context(run, Certificate.objects.get(pk=run.operation.subject_id))


def check(context: Context) -> None:
    """Whatever can be known without the authority."""
    certificate = context.certificate
    refusal = ledger.find_refusal(certificate.names, certificate.directory_url)
    if refusal is not None:
        raise refusal.problem()
    if certificate.challenge == Challenge.DNS:
        provider = _provider(certificate)
        zone = writer_for(provider).zone_of(certificate.names[-1])
        context.run.info(f"{provider.name} holds the zone {zone}.")
    else:
        context.run.info(f"{certificate} is proven on the server {_route(certificate).server}.")


def order(context: Context) -> None:
    """The order itself; nothing where somebody else was faster."""
    certificate, run = context.certificate, context.run
    if certificate.challenge == Challenge.DNS:
        _ensure(context, lambda: DnsSolver(_provider(certificate), run))
        return
    server = _route(certificate).server
    with open_host(server) as host:
        _ensure(context, lambda: HttpSolver(host, server, run))


def deliver(context: Context) -> None:
    """To the servers of all routes under its names, and to those that have an older state of it."""
    servers = _servers(context.certificate)
    for done, server in enumerate(servers):
        context.run.progress(done, len(servers), "servers")
        context.run.check()
        try:
            with open_host(server) as host:
                delivery.deliver(context.certificate, host=host, server=server, run=context.run)
        except Problem as problem:
            delivery.note_failure(context.certificate, server, problem)
            context.run.warning(f"{server} did not get it; the platform tries again by itself. {problem.title}")
    context.run.progress(len(servers), len(servers), "servers")


def apply_routes(context: Context) -> None:
    """Routes that answered over plain HTTP until now redirect to HTTPS."""
    waiting = [
        route
        for route in _routes(context.certificate)
        if route.certificate_id != context.certificate.pk or not route.specification.get("tls")
    ]
    for done, route in enumerate(waiting):
        context.run.progress(done, len(waiting), "routes")
        context.run.check()
        try:
            with open_host(route.server) as host:
                services.change_route(route, host=host, run=context.run)
        except Problem as problem:
            delivery.note_failure(context.certificate, route.server, problem)
            Route.objects.filter(pk=route.pk).update(error=str(problem))
            context.run.warning(f"The route of {route} could not be changed yet. {problem.title}")


PIPELINE = register(
    Pipeline(
        kind=ISSUE_KIND,
        title="Certificate",
        steps=(
            Step("check", "Check the limits and the way to a proof", check, timeout=120),
            Step("order", "Order from the certificate authority", order, timeout=1800),
            Step("deliver", "Bring it to the servers", deliver, timeout=1800),
            Step("apply_routes", "Turn its names to HTTPS", apply_routes, timeout=1800),
        ),
        open_context=open_context,
        view_code="org.dns.list",
        cancel_code="org.domains.manage",
    )
)


def _ensure(context: Context, make_solver: Callable[[], Solver]) -> None:
    found = certificates.ensure(context.certificate, make_solver, issued_since=context.issued_since, run=context.run)
    context.run.info(f"The certificate is valid until {found.not_after:%Y-%m-%d %H:%M} UTC.")


def _provider(certificate: Certificate) -> DnsProvider:
    base = certificate.base_domains.select_related("dns_provider").first()
    if base is None:
        words = "no base domain has this certificate any more"
        raise Problem("domains.dns_settings_incomplete", provider=certificate, missing=words)
    return certificates.provider_of(base)


def _route(certificate: Certificate) -> Route:
    route = Route.objects.filter(host_name=certificate.names[0]).select_related("server").first()
    if route is None:
        raise Problem("domains.nowhere_to_prove", name=certificate.names[0])
    return route


def _routes(certificate: Certificate) -> list[Route]:
    under = Q(host_name__in=certificate.names)
    for name in certificate.names:
        if name.startswith("*."):
            under |= Q(host_name__endswith=name[1:])
    found = Route.objects.filter(under).select_related("environment__project__organization", "environment__server")
    owner = certificate.organization_id
    return [
        route
        for route in found.select_related("server")
        if certificate.covers(route.host_name) and owner in (None, route.environment.project.organization_id)
    ]


def _servers(certificate: Certificate) -> list[Server]:
    wanted = {route.server_id for route in _routes(certificate)}
    wanted |= set(certificate.deliveries.values_list("server_id", flat=True))
    return list(Server.objects.filter(pk__in=wanted).select_related("ssh_key").order_by("name"))
