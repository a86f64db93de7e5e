"""Looking at a name from where the platform is: does it resolve, does the proxy answer, with which certificate."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domains import dns_records, routes
from apps.domains.base_domains import address_for, base_domain_of
from apps.domains.dns_lookup import addresses_of
from apps.domains.models import Route
from apps.domains.probing import probe
from apps.environments.models import Environment

SECONDS = 4.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `is_good` is None where it could not be told."""

    title: str
    is_good: bool | None
    text: str


def check_name(environment: Environment) -> list[Finding]:
    """Looks now; takes some seconds where something is silent. Changes nothing."""
    findings = [_resolves(environment)]
    route = Route.objects.filter(environment=environment).select_related("server", "certificate").first()
    if route is None:
        findings.append(Finding("Route", False, "There is none yet: deploy the environment."))
        return findings
    findings.append(_proxy(route))
    findings.append(_certificate(route))
    findings.append(_odoo(route))
    return findings


def _resolves(environment: Environment) -> Finding:
    name = environment.host_name
    if environment.server is None:
        return Finding("DNS", None, "The environment has no server yet.")
    address = address_for(environment.server, base_domain_of(name))
    if not address:
        return Finding("DNS", True, "No record is needed: browsers resolve the name by themselves.")
    try:
        found = addresses_of(name)
    except OSError as error:
        return Finding("DNS", None, str(error))
    wanted = dns_records.wanted_record(name, address)
    if not found:
        return Finding("DNS", False, f"The name does not resolve. Set this record: {wanted}")
    expected = dns_records.addresses_of_server(environment.server)
    if set(found) & set(expected):
        return Finding("DNS", True, f"The name resolves to the server ({', '.join(found)}).")
    return Finding("DNS", False, f"The name resolves to {', '.join(found)}. It should say: {wanted}")


def _proxy(route: Route) -> Finding:
    answer = probe(route.server, route.host_name, routes.MARK_PATH, timeout=SECONDS)
    if answer.status is None:
        return Finding("Proxy", False, f"Port {route.server.http_port} of {route.server}: {answer.error}")
    if routes.MARK_HEADER.lower() in answer.headers:
        return Finding("Proxy", True, f"The proxy of {route.server} knows the name.")
    return Finding("Proxy", False, f"The proxy of {route.server} does not know the name. Deploy the environment again.")


def _certificate(route: Route) -> Finding:
    answer = probe(route.server, route.host_name, routes.MARK_PATH, tls=True, timeout=SECONDS)
    if answer.status is None:
        return Finding("Certificate", False, f"Port {route.server.https_port} of {route.server}: {answer.error}")
    certificate = route.certificate
    if certificate is None:
        return Finding("Certificate", None, "There is none yet: browsers warn of the proxy's own.")
    if answer.fingerprint == certificate.fingerprint and certificate.is_usable:
        return Finding("Certificate", True, f"Valid until {certificate.not_after:%Y-%m-%d}.")
    return Finding("Certificate", False, "The proxy shows another certificate; it is brought there by the scanner.")


def _odoo(route: Route) -> Finding:
    tls = bool(route.specification.get("tls"))
    answer = probe(route.server, route.host_name, "/web/login", tls=tls, timeout=SECONDS)
    is_good = answer.status is not None and answer.status < 500
    return Finding("Odoo", is_good, f"{answer}" if answer.error else f"Answers HTTP {answer.status}.")
