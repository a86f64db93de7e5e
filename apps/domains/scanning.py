"""What the scanner looks for every minute: certificates to renew, servers that miss one, records left behind."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q

from apps.core import clock
from apps.core.exceptions import Problem
from apps.domains import certificates, dns_records
from apps.domains.base_domains import default_base_domain
from apps.domains.issuing import queue_issue
from apps.domains.models import BaseDomain, Certificate, CertificateDelivery, CertificateStatus, Challenge, DnsRecord
from apps.domains.progress import quiet
from apps.operations.models import Trigger
from apps.servers.models import Server

# A deployment that has just made the row orders it itself.
PATIENCE = timedelta(minutes=5)
SECOND_TRY_AFTER = timedelta(minutes=15)
ORPHANS_PER_SCAN = 20


def scan() -> int:
    """Queues what is due, and returns how many operations. Idempotent: what is under way is not queued again."""
    default_base_domain()
    for base_domain in BaseDomain.objects.filter(wildcard_certificate=None).select_related("dns_provider"):
        if certificates.has_wildcard(base_domain):
            certificates.wildcard_row(base_domain)
    queued = [queue_issue(certificate, trigger=Trigger.SCHEDULE) for certificate in _due()]
    remove_orphans()
    return sum(1 for operation in queued if operation is not None)


def _due() -> list[Certificate]:
    fresh = Q(status=CertificateStatus.PENDING, created_at__gt=clock.now() - PATIENCE)
    # Of a base domain that was removed.
    homeless = Q(challenge=Challenge.DNS, base_domains=None)
    due = {certificate.pk: certificate for certificate in Certificate.objects.due().exclude(fresh).exclude(homeless)}
    missed = CertificateDelivery.objects.filter(
        ~Q(fingerprint=F("certificate__fingerprint")) | ~Q(error=""),
        tried_at__lt=clock.now() - SECOND_TRY_AFTER,
        server__status=Server.Status.READY,
        certificate__in=Certificate.objects.usable(),
    )
    for row in missed.select_related("certificate"):
        due.setdefault(row.certificate_id, row.certificate)
    return list(due.values())


def remove_orphans() -> None:
    """Removes records whose environment is gone, and those of challenges that a worker left behind."""
    old = DnsRecord.objects.filter(environment=None, updated_at__lt=clock.now() - timedelta(hours=1))
    for record in old.select_related("provider")[:ORPHANS_PER_SCAN]:
        try:
            dns_records.remove(record)
        except Problem as problem:
            record.save(update_fields=["updated_at"])
            quiet.warning(f"The record {record} could not be removed yet: {problem}")
