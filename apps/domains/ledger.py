"""The ledger of orders, and the limits that are kept by not asking.

Limits of Let's Encrypt: https://letsencrypt.org/docs/rate-limits/
"""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction

from apps.core import clock
from apps.core.exceptions import Problem
from apps.core.masking import mask
from apps.domains.locks import locked
from apps.domains.models import Certificate, CertificateOrder, OrderOutcome
from apps.domains.order_failures import OrderFailed

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
CERTIFICATES_PER_DOMAIN = 50
DUPLICATES = 5
FAILED_VALIDATIONS = 5


@dataclass(frozen=True)
class Refusal:
    """A limit that the next order would exceed, and when it no longer would."""

    limit: str
    what: str
    available_at: datetime

    def problem(self) -> LimitReached:
        """As it is shown."""
        when = f"{self.available_at:%Y-%m-%d %H:%M} UTC"
        problem = LimitReached("domains.limit_reached", limit=self.limit, what=self.what, when=when)
        problem.available_at = self.available_at
        return problem


class LimitReached(Problem):
    """The authority was not asked. `available_at` says when it may be."""

    available_at: datetime


def open_order(certificate: Certificate, *, operation_id: uuid.UUID | None = None) -> CertificateOrder:
    """Writes the line of an order that is about to be made. Raises LimitReached, with a line that says so."""
    now = clock.now()
    order = CertificateOrder(
        certificate=certificate,
        names=certificate.names,
        registered_domains=sorted({registered_domain(name) for name in certificate.names}),
        directory_url=certificate.directory_url,
        challenge=certificate.challenge,
        started_at=now,
        operation_id=operation_id,
    )
    # Two orders for one domain must not both find the last free place.
    with locked(f"ledger:{certificate.directory_url}"):
        CertificateOrder.objects.filter(certificate=certificate, outcome=OrderOutcome.STARTED).update(
            outcome=OrderOutcome.CANCELLED, finished_at=now, error="The worker stopped in the middle."
        )
        refusal = find_refusal(certificate.names, certificate.directory_url)
        if refusal is not None:
            problem = refusal.problem()
            order.outcome, order.finished_at = OrderOutcome.REFUSED, now
            order.error = f"{problem.title} {problem.what_to_do}"
            order.save()
            raise problem
        order.save()
    return order


def close_order(order: CertificateOrder, outcome: OrderOutcome, failure: BaseException | None = None) -> None:
    """Writes how it ended, with the authority's own words. A failure before the authority was asked to validate does
    not count against the limit of failed validations."""
    order.outcome, order.finished_at = outcome, clock.now()
    if failure is not None:
        order.error = mask(str(failure)) if outcome == OrderOutcome.FAILED else "Cancelled."
    if isinstance(failure, OrderFailed):
        order.error_type, order.failed_names = failure.error_type, list(failure.failed_names)
    with transaction.atomic():
        order.save()


def has_limits(directory_url: str) -> bool:
    """True for the directories that are named in ACME_LIMITED_DIRECTORIES."""
    return directory_url in settings.ACME_LIMITED_DIRECTORIES


def find_refusal(names: list[str], directory_url: str) -> Refusal | None:
    """The first limit that an order for these names would exceed now."""
    if not has_limits(directory_url):
        return None
    orders = CertificateOrder.objects.filter(directory_url=directory_url)
    return _failed_validations(orders, names) or _duplicates(orders, names) or _per_domain(orders, names)


@functools.cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def registered_domain(name: str) -> str:
    """`example.co.uk` for `*.shop.example.co.uk`; a name without a registered domain is returned as it is."""
    bare = name.removeprefix("*.")
    return _suffixes().privatesuffix(bare) or bare


def _failed_validations(orders: models.QuerySet[CertificateOrder], names: list[str]) -> Refusal | None:
    since = clock.now() - HOUR
    failed = orders.filter(outcome=OrderOutcome.FAILED, finished_at__gt=since)
    for name in dict.fromkeys(entry.removeprefix("*.") for entry in names):
        times = list(failed.filter(failed_names__contains=[name]).order_by("-finished_at").values_list("finished_at"))
        if len(times) >= FAILED_VALIDATIONS:
            limit = f"the limit of {FAILED_VALIDATIONS} failed validations per host and hour"
            return Refusal(limit, name, times[FAILED_VALIDATIONS - 1][0] + HOUR)
    return None


def _duplicates(orders: models.QuerySet[CertificateOrder], names: list[str]) -> Refusal | None:
    same = orders.filter(outcome=OrderOutcome.ISSUED, names=sorted(names), started_at__gt=clock.now() - WEEK)
    times = list(same.order_by("-started_at").values_list("started_at", flat=True)[:DUPLICATES])
    if len(times) < DUPLICATES:
        return None
    limit = f"the limit of {DUPLICATES} certificates with the same names a week"
    return Refusal(limit, ", ".join(names), times[-1] + WEEK)


def _per_domain(orders: models.QuerySet[CertificateOrder], names: list[str]) -> Refusal | None:
    """Renewals with the same names do not count there, so each set of names counts once here."""
    issued = orders.filter(outcome__in=[OrderOutcome.ISSUED, OrderOutcome.STARTED])
    if issued.filter(outcome=OrderOutcome.ISSUED, names=sorted(names)).exists():
        return None
    for domain in sorted({registered_domain(name) for name in names}):
        recent = issued.filter(registered_domains__contains=[domain], started_at__gt=clock.now() - WEEK)
        first_times: dict[tuple[str, ...], datetime] = {}
        for found, started_at in recent.order_by("started_at").values_list("names", "started_at"):
            first_times.setdefault(tuple(found), started_at)
        if len(first_times) >= CERTIFICATES_PER_DOMAIN:
            freeing = sorted(first_times.values())[len(first_times) - CERTIFICATES_PER_DOMAIN]
            limit = f"the limit of {CERTIFICATES_PER_DOMAIN} certificates per registered domain a week"
            return Refusal(limit, domain, freeing + WEEK)
    return None
