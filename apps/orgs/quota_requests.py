"""Asking for more quota, and the answers of the platform's staff."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict
from apps.orgs.models import Organization, Quota, QuotaRequest
from apps.orgs.quotas import RESOURCES, quota_of
from apps.orgs.services import lock_open, lock_organization

LIMITS = [one.name for one in Quota._meta.concrete_fields if one.null]
_WANTED = [resource.field for resource in RESOURCES]


@transaction.atomic
def set_quota(*, organization: Organization, actor: User, **limits: Decimal | int | None) -> Quota:
    """Sets the named limits (None: unlimited). What is allocated already stays, even beyond them. Raises
    ValidationError."""
    lock_organization(organization)
    quota = quota_of(organization)
    before = audit.snapshot(quota, list(limits))
    for name, value in limits.items():
        if name not in LIMITS:
            raise ValidationError(f"There is no limit {name}.")
        setattr(quota, name, value)
    quota.full_clean(validate_unique=False)
    quota.save()
    record_quota(quota, actor, before)
    return quota


def record_quota(quota: Quota, actor: User, before: dict[str, object]) -> None:
    """Writes down what changed, if anything did."""
    after = audit.snapshot(quota, list(before))
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        audit.record(
            action="quota.changed",
            actor=actor,
            organization_id=quota.organization_id,
            target=quota.organization,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )


@transaction.atomic
def ask(*, organization: Organization, actor: User, reason: str, **wanted: Decimal | int | None) -> QuotaRequest:
    """Asks for other totals (those that are not named stay as they are). One request waits at a time.

    Raises Conflict `orgs.quota_request_waits`, `orgs.leaving`; ValidationError.
    """
    lock_open(organization)
    request = QuotaRequest(organization=organization, asked_by=actor, reason=reason, **wanted)
    if all(getattr(request, name) is None for name in _WANTED):
        raise ValidationError("Say how much there should be of something.")
    request.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("orgs.quota_request_waits") from error
    _record("quota.asked", request, actor, {"reason": reason, **_wanted_by(request)})
    return request


@transaction.atomic
def answer(*, request: QuotaRequest, is_granted: bool, actor: User, text: str = "") -> QuotaRequest:
    """The staff's answer; granted, the totals become the quota. Raises Conflict `orgs.quota_request_answered`."""
    request = _waiting(request)
    request.status = QuotaRequest.Status.GRANTED if is_granted else QuotaRequest.Status.REFUSED
    request.answer, request.answered_by, request.answered_at = text, actor, clock.now()
    request.full_clean(exclude=["asked_by", "reason"], validate_constraints=False)
    request.save()
    if is_granted:
        set_quota(organization=request.organization, actor=actor, **_wanted_by(request))
    _record(f"quota.{request.status}", request, actor, {"answer": text})
    return request


@transaction.atomic
def withdraw(*, request: QuotaRequest, actor: User) -> QuotaRequest:
    """Takes a request back. Raises Conflict `orgs.quota_request_answered`."""
    request = _waiting(request)
    request.status, request.answered_at = QuotaRequest.Status.WITHDRAWN, clock.now()
    request.save()
    _record("quota.withdrawn", request, actor, {})
    return request


def _waiting(request: QuotaRequest) -> QuotaRequest:
    lock_organization(request.organization)
    request = QuotaRequest.objects.select_related("organization").get(pk=request.pk)
    if request.status != QuotaRequest.Status.WAITING:
        raise Conflict("orgs.quota_request_answered", status=request.get_status_display().lower())
    return request


def _wanted_by(request: QuotaRequest) -> dict[str, Decimal | int]:
    return {name: getattr(request, name) for name in _WANTED if getattr(request, name) is not None}


def _record(action: str, request: QuotaRequest, actor: User, after: dict[str, object]) -> None:
    audit.record(
        action=action, actor=actor, organization_id=request.organization_id, target=request.organization, after=after
    )
