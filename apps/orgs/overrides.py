"""Exceptions for one person: a code given or taken, for a while or for good. Every write."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Problem
from apps.orgs.authority import ensure_somebody_else, ensure_within_own, lock_member
from apps.orgs.models import Organization, PermissionOverride

# Moments near the end of the calendar (the year 9999) cannot be computed with in every time zone.
LONGEST = timedelta(days=3653)


@transaction.atomic
def set_override(
    *,
    organization: Organization,
    user: User,
    code: str,
    effect: str,
    actor: User,
    project_id: uuid.UUID | None = None,
    expires_at: datetime | None = None,
    reason: str = "",
) -> PermissionOverride:
    """Gives or takes one code, in place of an earlier exception about the same code and project (which the caller has
    looked to be the organization's).

    Raises Problem `orgs.more_than_own` for a code that the actor lacks (to give and to take: who cannot do it has no
    say in it), `orgs.not_oneself`, `orgs.owner_exempt`, `orgs.not_a_member`, `orgs.already_expired`,
    `orgs.ends_too_late` (more than ten years ahead); ValidationError.
    """
    ensure_somebody_else(actor, lock_member(organization.pk, user))
    if expires_at is not None and expires_at <= clock.now():
        raise Problem("orgs.already_expired")
    if expires_at is not None and expires_at > clock.now() + LONGEST:
        raise Problem("orgs.ends_too_late")
    place = {"organization": organization, "user": user, "code": code, "on_project": project_id}
    existing = PermissionOverride.objects.filter(**place).first()
    before = existing.as_audit() if existing else None
    override = existing or PermissionOverride(**place)
    override.effect, override.expires_at, override.reason, override.created_by = effect, expires_at, reason, actor
    override.full_clean(validate_unique=False, validate_constraints=False)
    ensure_within_own(actor, [code], organization.pk, project_id)
    override.save()
    _record("override.set", override, actor, before=before, after=override.as_audit())
    return override


@transaction.atomic
def remove_override(*, override: PermissionOverride, actor: User) -> None:
    """Ends an exception. Raises as set_override: to end one that takes is to give."""
    ensure_somebody_else(actor, lock_member(override.organization_id, override.user))
    ensure_within_own(actor, [override.code], override.organization_id, override.on_project)
    _record("override.removed", override, actor, before=override.as_audit())
    override.delete()


def _record(
    action: str,
    override: PermissionOverride,
    actor: User,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(
        action=action,
        actor=actor,
        organization_id=override.organization_id,
        target=override.user,
        before=before,
        after=after,
    )
