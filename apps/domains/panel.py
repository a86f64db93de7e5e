"""What the page about an environment's name shows, read from our books alone: nothing outside is asked."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from apps.domains import certificates, dns_records
from apps.domains.base_domains import address_for, base_domain_of
from apps.domains.models import BaseDomain, Certificate, CertificateOrder, DnsRecord, Route
from apps.environments.models import Environment

ORDERS_SHOWN = 20


@dataclass(frozen=True)
class NamePanel:
    """`record` is the one to set (None: none is needed), `written` ours at the provider, if the platform wrote it;
    `certificate` the one that the name uses or waits for; `orders` the ledger's newest lines about it."""

    base_domain: BaseDomain | None
    record: dns_records.WantedRecord | None
    written: DnsRecord | None
    route: Route | None
    certificate: Certificate | None
    is_shared: bool
    has_authority: bool
    orders: list[CertificateOrder]


def panel_for(environment: Environment) -> NamePanel:
    """The panel of one environment."""
    base = base_domain_of(environment.host_name)
    certificate = _certificate(environment)
    address = address_for(environment.server, base) if environment.server else ""
    orders = (
        CertificateOrder.objects.filter(certificate=certificate) if certificate else CertificateOrder.objects.none()
    )
    return NamePanel(
        base_domain=base,
        record=dns_records.wanted_record(environment.host_name, address) if address else None,
        written=DnsRecord.objects.filter(environment=environment, written_at__isnull=False).first(),
        route=Route.objects.filter(environment=environment).select_related("certificate", "server").first(),
        certificate=certificate,
        is_shared=bool(certificate and certificate.is_shared),
        has_authority=bool(certificates.directory_for(base)),
        orders=list(orders[:ORDERS_SHOWN]),
    )


def _certificate(environment: Environment) -> Certificate | None:
    """The usable one; else the one that is wanted and has not come."""
    organization = environment.organization
    usable = certificates.find_usable(environment.host_name, organization)
    if usable is not None:
        return usable
    wanted = Certificate.objects.filter(Q(is_wanted=True)).covering(environment.host_name)
    return wanted.for_names_of(organization).order_by("-updated_at").first()
