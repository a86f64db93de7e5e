"""Invitations: written, sent again, revoked, accepted, cleaned up."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.core.fields import unreadable
from apps.orgs import codes, readers, services
from apps.orgs.authority import ensure_within_own
from apps.orgs.members import MANAGE, ensure_may_give, require_under_lock
from apps.orgs.models import Invitation, InvitationUse, Membership, Organization
from apps.orgs.roles import Role
from apps.orgs.signals import invitation_accepted

SHORTEST_DAYS, LONGEST_DAYS = 1, 30
MOST_OPEN = 200


def invite(
    *,
    organization: Organization,
    role: str,
    actor: User,
    email: str = "",
    days: int = 7,
    max_uses: int = 1,
    message: str = "",
    projects: Iterable[Any] = (),
) -> Invitation:
    """A new invitation, by mail when there is an `email`. `projects` (of this organization) restrict a Developer.

    Raises Problem `orgs.owner_not_assignable`, `orgs.role_beyond_own`, `orgs.restriction_needs_developer`; Conflict
    `orgs.already_a_member`, `orgs.already_invited`, `orgs.too_many_invitations`, `orgs.leaving`; ValidationError;
    PermissionDenied without `org.members.manage`.
    """
    email = email.strip().lower()
    if role == Role.OWNER:
        raise Problem("orgs.owner_not_assignable")
    _ensure_days(days)
    invitation = Invitation(
        organization=organization,
        role=role,
        email=email,
        message=message,
        project_ids=_ids_within(organization, role, projects),
        max_uses=max_uses,
        expires_at=clock.now() + timedelta(days=days),
        invited_by=actor,
    )
    invitation.full_clean(exclude=["code", "code_hash", "link_token", "link_hash", "revoked_by"], validate_unique=False)
    with transaction.atomic():
        services.lock_open(organization)
        _ensure_may_write(actor, invitation)
        _ensure_wanted(organization, email)
        codes.store_with_new_ones(invitation)
        _record("invitation.created", actor, invitation)
    return invitation


def _ensure_days(days: int) -> None:
    if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise ValidationError({"days": f"Choose {SHORTEST_DAYS} to {LONGEST_DAYS} days."})


def _ensure_may_write(actor: User, invitation: Invitation) -> None:
    """Under the organization's lock: the actor manages members still, and has all that the invitation gives."""
    require_under_lock(actor, MANAGE, invitation.organization)
    ensure_may_give(actor, invitation.organization, invitation.role)
    for key in invitation.project_ids:
        ensure_within_own(actor, ["project.view"], invitation.organization_id, key)


def _ids_within(organization: Organization, role: str, projects: Iterable[Any]) -> list[uuid.UUID]:
    ids = []
    for project in projects:
        if project.organization_id != organization.pk:
            raise ValidationError({"projects": "Choose projects of this organization."})
        ids.append(project.pk)
    if ids and role != Role.DEVELOPER:
        raise Problem("orgs.restriction_needs_developer")
    return ids


def _ensure_wanted(organization: Organization, email: str) -> None:
    open_now = Invitation.objects.filter(organization=organization).open()
    if open_now.count() >= MOST_OPEN:
        raise Conflict("orgs.too_many_invitations", limit=MOST_OPEN)
    if not email:
        return
    if Membership.objects.filter(organization=organization, user__email=email).exists():
        raise Conflict("orgs.already_a_member", person=email)
    if open_now.filter(email=email).exists():
        raise Conflict("orgs.already_invited", email=email)


@transaction.atomic
def revoke(*, invitation: Invitation, actor: User) -> Invitation:
    """From now on it lets nobody in. Raises Conflict `orgs.invitation_over` for one that does not anyway."""
    invitation = _locked(invitation.pk)
    if not invitation.is_open:
        raise Conflict("orgs.invitation_over", state=invitation.get_state_display().lower())
    invitation.revoked_at, invitation.revoked_by = clock.now(), actor
    invitation.save()
    _record("invitation.revoked", actor, invitation)
    return invitation


@transaction.atomic
def renew(*, invitation: Invitation, actor: User, days: int = 7) -> Invitation:
    """Makes an expired one valid again, or an open one valid for longer: for sending it again. Code and link stay,
    unless they cannot be decrypted any more: then they are new ones.

    Raises Conflict `orgs.invitation_over` for one that was accepted or revoked; `orgs.already_a_member`,
    `orgs.leaving`; Problem `orgs.role_beyond_own`, `orgs.more_than_own` (a project that the actor does not reach);
    ValidationError; PermissionDenied without `org.members.manage`.
    """
    _ensure_days(days)
    services.lock_open(invitation.organization)
    invitation = _locked(invitation.pk)
    if invitation.state not in (Invitation.State.PENDING, Invitation.State.EXPIRED):
        raise Conflict("orgs.invitation_over", state=invitation.get_state_display().lower())
    _ensure_may_write(actor, invitation)
    found = Membership.objects.filter(organization=invitation.organization, user__email=invitation.email)
    if invitation.email and found.exists():
        raise Conflict("orgs.already_a_member", person=invitation.email)
    invitation.expires_at = max(invitation.expires_at, clock.now() + timedelta(days=days))
    if unreadable(invitation):
        codes.store_with_new_ones(invitation)
    invitation.save()
    _record("invitation.renewed", actor, invitation)
    return invitation


@transaction.atomic
def clean_up(*, organization: Organization, actor: User) -> int:
    """Forgets the invitations that let nobody in any more; returns how many."""
    over = Invitation.objects.filter(organization=organization).over()
    count = over.count()
    if count:
        over.delete()
        audit.record(
            action="invitation.cleaned_up",
            actor=actor,
            organization_id=organization.pk,
            target=organization,
            after={"forgotten": count},
        )
    return count


def find_by_link(token: str) -> Invitation | None:
    """The invitation that a link names, whatever its state."""
    return _found(link_hash=codes.digest("link", token))


def find_by_code(code: str) -> Invitation | None:
    """The invitation that a typed code names, whatever its state."""
    return _found(code_hash=codes.digest("code", codes.normalize(code)))


def _found(**lookup: str) -> Invitation | None:
    return Invitation.objects.select_related("organization", "invited_by").filter(**lookup).first()


@transaction.atomic
def accept(*, invitation: Invitation, user: User) -> Membership:
    """The person becomes a member. The row is held meanwhile: a place is taken once, however many try at once.

    Raises Conflict `orgs.invitation_over`, `orgs.already_a_member`, `orgs.leaving`; Problem
    `orgs.invitation_for_another_address`.
    """
    organization, link = services.lock_open(invitation.organization), invitation.link_hash
    invitation = _locked(invitation.pk)
    if invitation.link_hash != link:  # a new code and link took the place of those that the person came by
        raise Conflict("orgs.invitation_over", state="withdrawn")
    if not invitation.is_open:
        raise Conflict("orgs.invitation_over", state=invitation.get_state_display().lower())
    if invitation.email and not has_verified(user, invitation.email):
        raise Problem("orgs.invitation_for_another_address")
    _ensure_stands(invitation, user)
    membership = services.add_member(organization=organization, user=user, role=invitation.role, actor=user)
    invitation.uses += 1
    invitation.save()
    InvitationUse.objects.get_or_create(invitation=invitation, user=user)
    _record("invitation.accepted", user, invitation)
    invitation_accepted.send(Invitation, invitation=invitation, user=user)
    return membership


def _ensure_stands(invitation: Invitation, user: User) -> None:
    """Who wrote it, and who knows its code, may write it as they are now (`readers.settle` does the rest, but nobody
    calls it when a right ends by itself); and nobody who went comes back by it."""
    inviter = User.objects.filter(pk=invitation.invited_by_id).first()
    if inviter is None or not readers.may_know(inviter, invitation) or readers.lost_by(invitation):
        raise Conflict("orgs.invitation_over", state="withdrawn")
    is_member = Membership.objects.filter(organization=invitation.organization, user=user).exists()
    if not is_member and InvitationUse.objects.filter(invitation=invitation, user=user).exists():
        raise Conflict("orgs.invitation_over", state="used")


def has_verified(user: User, email: str) -> bool:
    """True when the address is the person's, and they have shown that it is."""
    return EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists()


def _locked(key: uuid.UUID) -> Invitation:
    found = Invitation.objects.select_for_update(of=["self"]).select_related("organization").filter(pk=key).first()
    if found is None:  # cleaned up meanwhile
        raise Conflict("orgs.invitation_over", state="forgotten")
    return found


def _record(action: str, actor: User, invitation: Invitation) -> None:
    audit.record(
        action=action,
        actor=actor,
        organization_id=invitation.organization_id,
        target=invitation,
        after={
            "role": invitation.role,
            "email": invitation.email,
            "expires_at": invitation.expires_at.isoformat(),
            "uses": f"{invitation.uses} of {invitation.max_uses}",
            "projects": ", ".join(str(key) for key in invitation.project_ids),
        },
    )
