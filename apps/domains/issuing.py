"""Asking for certificates: each becomes an operation, one at a time per certificate."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.domains import certificates
from apps.domains.models import BaseDomain, Certificate
from apps.operations import services as operations
from apps.operations.models import Operation, Trigger

ISSUE_KIND = "domains.issue_certificate"


def queue_issue(
    certificate: Certificate, *, user: Any = None, trigger: str = Trigger.MANUAL, anew: bool = False
) -> Operation | None:
    """Queues ordering, delivering and using a certificate; None where that is under way already. `anew`: also where
    the present one is still good for long."""
    try:
        with transaction.atomic():
            if user is not None:
                audit.record(
                    action="certificate.ordered",
                    actor=user,
                    organization_id=certificate.organization_id,
                    target=certificate,
                )
            return operations.queue(
                kind=ISSUE_KIND,
                subject=certificate,
                organization=certificate.organization,
                lock_key=certificate.lock_key,
                parameters={"anew": anew},
                created_by=user,
                trigger=trigger,
                title=f"Certificate for {certificate}"[:200],
            )
    except Conflict:
        return None


def issue_wildcard(base_domain: BaseDomain, *, user: Any = None, anew: bool = False) -> Operation | None:
    """Queues the shared certificate of a base domain. Raises Problem `domains.acme_not_configured`,
    `domains.dns_by_hand`, `domains.dns_settings_incomplete`."""
    provider = certificates.provider_of(base_domain)
    if not provider.is_automatic:
        raise Problem("domains.dns_by_hand", provider=provider.name)
    return queue_issue(certificates.wildcard_row(base_domain), user=user, anew=anew)
