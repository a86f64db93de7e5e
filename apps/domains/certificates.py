"""Certificates: which one a name needs, and making sure that it is there, ordered once however many need it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from apps.core import clock
from apps.core.exceptions import Problem
from apps.core.outgoing import check_url
from apps.domains import ledger
from apps.domains.challenges import DnsSolver, HttpSolver, Solver
from apps.domains.locks import locked
from apps.domains.models import BaseDomain, Certificate, CertificateStatus, Challenge, DnsProvider, OrderOutcome
from apps.domains.progress import Progress, quiet
from apps.orgs.models import Organization
from apps.platform.current import current
from apps.servers.host import Host
from apps.servers.models import Server

# Of a failed order: 10 minutes, 30 minutes, 90 minutes … a day.
FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(days=1)


def directory_for(base_domain: BaseDomain | None) -> str:
    """The ACME directory that a base domain uses; empty where there is none, and then there are no certificates."""
    return (base_domain.directory_url if base_domain else "") or current().acme_directory_url


def has_wildcard(base_domain: BaseDomain | None) -> bool:
    """True where the names of the base domain share one wildcard certificate: there is an authority, and a provider
    that the platform can write to."""
    if base_domain is None or not directory_for(base_domain):
        return False
    return base_domain.dns_provider is not None and base_domain.dns_provider.is_automatic


def wildcard_row(base_domain: BaseDomain) -> Certificate:
    """The row of the shared certificate; made where it is missing, ordered by nobody yet."""
    directory = directory_for(base_domain)
    if not directory:
        raise Problem("domains.acme_not_configured")
    certificate, _ = Certificate.objects.get_or_create(
        names=base_domain.wildcard_names,
        directory_url=directory,
        defaults={"challenge": Challenge.DNS, "organization": base_domain.organization},
    )
    if base_domain.wildcard_certificate_id != certificate.pk:
        # After a change of the directory the one from before is used until this one is there, and not renewed.
        Certificate.objects.filter(pk=base_domain.wildcard_certificate_id).update(is_wanted=False)
        Certificate.objects.filter(pk=certificate.pk).update(is_wanted=True)
        base_domain.wildcard_certificate = certificate
        base_domain.save(update_fields=["wildcard_certificate", "updated_at"])
    return certificate


def ensure_wildcard(base_domain: BaseDomain, *, run: Progress = quiet) -> Certificate:
    """The valid certificate of `*.base` and `base`, ordered by DNS-01 where it is missing or due.

    Raises Problem: `domains.acme_*`, `domains.dns_*`, `domains.validation_failed`, `domains.limit_reached` …
    """
    return ensure(wildcard_row(base_domain), lambda: DnsSolver(provider_of(base_domain), run), run=run)


def ensure_for(
    host_name: str,
    *,
    host: Host,
    server: Server,
    organization: Organization | None,
    base_domain: BaseDomain | None = None,
    run: Progress = quiet,
) -> Certificate | None:
    """The valid certificate of one name, ordered by HTTP-01 where it is missing or due. None where no authority is
    configured. Raises Problem as `ensure_wildcard`, and `domains.challenge_not_reachable`."""
    directory = directory_for(base_domain)
    if not directory:
        return None
    certificate, _ = Certificate.objects.get_or_create(
        names=[host_name],
        directory_url=directory,
        defaults={"challenge": Challenge.HTTP, "organization": organization},
    )
    if not certificate.is_wanted or certificate.organization_id != getattr(organization, "pk", None):
        # The name was given up once and has come back, perhaps to somebody else.
        certificate.is_wanted, certificate.organization = True, organization
        certificate.save(update_fields=["is_wanted", "organization", "updated_at"])
    return ensure(certificate, lambda: HttpSolver(host, server, run), run=run)


def ensure(
    certificate: Certificate,
    make_solver: Callable[[], Solver],
    *,
    issued_since: datetime | None = None,
    run: Progress = quiet,
) -> Certificate:
    """Orders the certificate where it is missing or due, or (`issued_since`) was not issued after that moment. Of many
    that need it at once one orders, the others wait and take what it got; where that failed they fail with it rather
    than asking again."""
    if not _is_needed(certificate, issued_since):
        return certificate
    since = clock.now()
    with locked(f"certificate:{certificate.pk}", run=run):
        certificate.refresh_from_db()
        if not _is_needed(certificate, issued_since):
            return certificate
        if certificate.failed_at is not None and certificate.failed_at >= since:
            raise Problem("domains.acme_refused", words=certificate.error)
        if certificate.directory_url != current().acme_directory_url:
            check_url(certificate.directory_url)
        _order(certificate, make_solver, run)
    return certificate


def _is_needed(certificate: Certificate, issued_since: datetime | None) -> bool:
    too_old = issued_since is not None and (certificate.issued_at is None or certificate.issued_at < issued_since)
    return certificate.is_due or too_old


def find_usable(host_name: str, organization: Organization | None) -> Certificate | None:
    """A valid certificate for the name: its own, or a wildcard of the organization or of the platform; of several one
    that is still wanted, and the one that lives longest."""
    found = Certificate.objects.usable().covering(host_name).for_names_of(organization)
    return found.order_by("-is_wanted", "-not_after").first()


def renewal_time(not_before: datetime, not_after: datetime) -> datetime:
    """When a third of the life is left: day 60 of 90."""
    return not_after - (not_after - not_before) / 3


def provider_of(base_domain: BaseDomain) -> DnsProvider:
    """Who writes its records. Raises Problem `domains.dns_settings_incomplete`."""
    if base_domain.dns_provider is None:
        raise Problem("domains.dns_settings_incomplete", provider=base_domain.name, missing="it has no DNS provider")
    return base_domain.dns_provider


def _order(certificate: Certificate, make_solver: Callable[[], Solver], run: Progress) -> None:
    # The library is loaded for an order only: ten megabytes in every process otherwise.
    from apps.domains.acme_client import order_certificate

    operation = getattr(run, "operation", None)
    try:
        order = ledger.open_order(certificate, operation_id=getattr(operation, "pk", None))
    except ledger.LimitReached as reached:
        _store_failure(certificate, reached, wait=reached.available_at - clock.now())
        raise
    _set_status(certificate, CertificateStatus.ISSUING)

    def remember(address: str) -> None:
        order.address = address
        order.save(update_fields=["address", "updated_at"])

    run.info(f"Ordering a certificate for {certificate} at {certificate.directory_url} ({certificate.challenge}).")
    try:
        issued = order_certificate(
            certificate.names, make_solver(), directory_url=certificate.directory_url, run=run, on_order=remember
        )
        store_issued(certificate, issued.private_key, issued.chain)
    except Exception as failure:
        ledger.close_order(order, OrderOutcome.FAILED, failure)
        pause = min(FIRST_PAUSE * 3 ** min(certificate.failures, 6), LONGEST_PAUSE)
        _store_failure(certificate, failure, wait=pause)
        raise
    except BaseException as interruption:
        ledger.close_order(order, OrderOutcome.CANCELLED, interruption)
        _set_status(certificate, CertificateStatus.VALID if certificate.chain else CertificateStatus.PENDING)
        raise
    ledger.close_order(order, OrderOutcome.ISSUED)
    run.info(f"The certificate for {certificate} is valid until {certificate.not_after:%Y-%m-%d %H:%M} UTC.")


def store_issued(certificate: Certificate, private_key: str, chain: str) -> None:
    """Stores a fresh key and chain, with what the leaf says of itself. Raises ValueError for what is no chain."""
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    issuer = leaf.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    certificate.private_key, certificate.chain = private_key, chain
    certificate.fingerprint = leaf.fingerprint(hashes.SHA256()).hex()
    certificate.issuer = str(issuer[0].value)[:200] if issuer else leaf.issuer.rfc4514_string()[:200]
    certificate.not_before, certificate.not_after = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    certificate.renew_at = renewal_time(certificate.not_before, certificate.not_after)
    certificate.issued_at = clock.now()
    certificate.status, certificate.error = CertificateStatus.VALID, ""
    certificate.failures, certificate.failed_at, certificate.next_attempt_at = 0, None, None
    certificate.save()


def _store_failure(certificate: Certificate, failure: Exception, *, wait: timedelta) -> None:
    certificate.status = CertificateStatus.FAILED
    certificate.error = str(failure) if isinstance(failure, Problem) else f"Unexpected: {type(failure).__name__}."
    certificate.failures += 1
    now = clock.now()
    certificate.failed_at, certificate.next_attempt_at = now, now + wait
    certificate.save()


def _set_status(certificate: Certificate, status: CertificateStatus) -> None:
    certificate.status = status
    certificate.save(update_fields=["status", "updated_at"])
