"""How platform staff come into an organization: its Owner consents for a time, or there is an emergency, of which the
Owner is told. Every step stands in the organization's audit trail."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.orgs import support_messages  # noqa: F401  (registers the texts)
from apps.orgs.access import has_permission, require
from apps.orgs.models import Membership, Organization, SupportAccess
from apps.orgs.rights_changes import changing
from apps.orgs.roles import Role

SHORTEST_MINUTES = 15
LONGEST_MINUTES = 7 * 24 * 60
LONGEST_EMERGENCY_MINUTES = 4 * 60
# A request that nobody answered in this time is not answered any more: what it was about has passed.
REQUEST_LIFETIME = timedelta(days=7)
# An emergency is explained in words, not in a sign.
SHORTEST_REASON = 15


@transaction.atomic
def ask(*, organization: Organization, staff: User, reason: str, minutes: int) -> SupportAccess:
    """A request that the Owner answers. Raises PermissionDenied for anybody who is not staff, Conflict
    `orgs.support_open_already`, ValidationError for a reason that is not plain text."""
    _check_limits(minutes, LONGEST_MINUTES)
    return _make(organization, staff, reason, minutes, SupportAccess.Kind.CONSENT, "support.asked")


@transaction.atomic
def take_in_emergency(*, organization: Organization, staff: User, reason: str, minutes: int) -> SupportAccess:
    """A way in at once, without the Owner, who is told by mail. The reason must say something. Raises as `ask`."""
    _check_limits(minutes, LONGEST_EMERGENCY_MINUTES)
    if len(reason.strip()) < SHORTEST_REASON:
        raise Problem("orgs.support_reason_too_short", length=SHORTEST_REASON)
    return _make(organization, staff, reason, minutes, SupportAccess.Kind.EMERGENCY, "support.emergency_begun")


@transaction.atomic
def grant(*, access: SupportAccess, actor: User, minutes: int | None = None) -> SupportAccess:
    """The Owner lets the member of staff in, from now on, for as long as was asked or for `minutes` if that is shorter.
    Raises PermissionDenied for anybody else, portal admins included, Conflict for what is not waiting any more."""
    access = _locked(access)
    _require_owner(actor, access.organization)
    if access.state != "waiting":
        raise Conflict("orgs.support_answered", staff=access.staff)
    now = clock.now()
    if access.created_at + REQUEST_LIFETIME < now:
        raise Conflict("orgs.support_request_lapsed", staff=access.staff)
    access.minutes = min(access.minutes, _check_limits(minutes, LONGEST_MINUTES) if minutes else access.minutes)
    access.granted_by, access.granted_at = actor, now
    access.expires_at = now + timedelta(minutes=access.minutes)
    access.save()
    _record(access, "support.granted", actor)
    return access


@transaction.atomic
def refuse(*, access: SupportAccess, actor: User) -> None:
    """The Owner says no. Raises as `grant`."""
    access = _locked(access)
    _require_owner(actor, access.organization)
    if access.state != "waiting":
        raise Conflict("orgs.support_answered", staff=access.staff)
    _close(access, actor, "support.refused")


@transaction.atomic
def end(*, access: SupportAccess, actor: User) -> None:
    """Closes the way in at once, or takes a request back: the member of staff, other portal admins, and whoever may
    remove people from the organization. Nothing happens to what is over already."""
    access = _locked(access)
    if access.staff_id != actor.pk:
        require(actor, "org.members.manage", access.organization)
    if access.state in ("waiting", "active"):
        _close(access, actor, "support.ended" if access.granted_at else "support.withdrawn")


def open_organizations(staff: User) -> frozenset[uuid.UUID]:
    """The organizations that are open to this member of staff now."""
    rows = SupportAccess.objects.active().filter(staff_id=staff.pk)
    return frozenset(rows.values_list("organization_id", flat=True))


def require_staff(user: User) -> None:
    """Raises PermissionDenied for anybody but active platform staff who act as themselves."""
    if not (user.is_active and user.is_staff and has_permission(user, "portal.support")):
        raise PermissionDenied("This is for platform staff.")


def _make(organization: Organization, staff: User, reason: str, minutes: int, kind: str, action: str) -> SupportAccess:
    require_staff(staff)
    # One at a time, whoever asks at once.
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    mine = SupportAccess.objects.filter(organization=organization, staff=staff)
    waiting = mine.waiting().filter(created_at__gte=clock.now() - REQUEST_LIFETIME)
    emergency = kind == SupportAccess.Kind.EMERGENCY
    if mine.active().exists() or (waiting.exists() and not emergency):
        raise Conflict("orgs.support_open_already", organization=organization)
    access = SupportAccess(organization=organization, staff=staff, reason=reason.strip(), minutes=minutes, kind=kind)
    if emergency:
        access.granted_at = clock.now()
        access.expires_at = access.granted_at + timedelta(minutes=minutes)
    access.full_clean(exclude=["granted_by", "ended_by", "granted_at", "expires_at", "ended_at", "told_at"])
    access.save()
    _record(access, action, staff)
    return access


def _check_limits(minutes: int, longest: int) -> int:
    if not SHORTEST_MINUTES <= minutes <= longest:
        raise Problem("orgs.support_minutes", shortest=SHORTEST_MINUTES, longest=longest)
    return minutes


def _locked(access: SupportAccess) -> SupportAccess:
    return (
        SupportAccess.objects.select_for_update(of=["self"]).select_related("organization", "staff").get(pk=access.pk)
    )


def _require_owner(actor: User, organization: Organization) -> None:
    """Asked of the membership itself: a portal admin has every code, and must not consent for the Owner."""
    require(actor, "org.ownership.transfer", organization)
    is_owner = Membership.objects.filter(organization=organization, user_id=actor.pk, role=Role.OWNER).exists()
    if not is_owner:
        raise PermissionDenied("Only the Owner of the organization lets platform staff in.")


def _close(access: SupportAccess, actor: User, action: str) -> None:
    access.ended_by, access.ended_at = actor, clock.now()
    access.save()
    _record(access, action, actor)


def _record(access: SupportAccess, action: str, actor: User) -> None:
    changing([access.staff_id], access.organization_id)
    audit.record(
        action=action,
        actor=actor,
        organization_id=access.organization_id,
        target=access.staff,
        after={
            "kind": access.kind,
            "reason": access.reason,
            "minutes": access.minutes,
            "expires_at": access.expires_at.isoformat() if access.expires_at else None,
        },
    )
