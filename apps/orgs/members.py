"""Members: roles changed, people removed, ownership handed on. There is exactly one Owner at every moment."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.orgs import doors
from apps.orgs.access import forget, require
from apps.orgs.authority import codes_everywhere, reaches_everything
from apps.orgs.models import Membership, Organization
from apps.orgs.roles import CODES_BY_MEMBERSHIP, SEES_ALL_PROJECTS, Role
from apps.orgs.services import lock_open, lock_organization

MANAGE = "org.members.manage"


def may_give(actor: User, organization: Organization, role: str) -> bool:
    """Whether the role can do no more than the actor on each project, and sees none that the actor does not."""
    if not CODES_BY_MEMBERSHIP[role] <= codes_everywhere(actor, organization.pk):
        return False
    return role not in SEES_ALL_PROJECTS or reaches_everything(actor, organization.pk)


def ensure_may_give(actor: User, organization: Organization, role: str) -> None:
    """Nobody gives, changes or takes a role that can do, or see, more than they can themselves at this moment.

    Raises Problem `orgs.role_beyond_own`.
    """
    forget(actor)
    if not may_give(actor, organization, role):
        raise Problem("orgs.role_beyond_own", role=Role(role).label)


def require_under_lock(actor: User, code: str, organization: Organization) -> None:
    """Asks again once the organization is held: who waited for the lock may have lost the right meanwhile. Raises
    PermissionDenied."""
    forget(actor)
    require(actor, code, organization)


@transaction.atomic
def change_role(*, membership: Membership, role: str, actor: User) -> Membership:
    """Gives a member another role; it holds at once.

    Raises Problem `orgs.owner_not_assignable`, `orgs.owner_stays`, `orgs.not_oneself`, `orgs.role_beyond_own`;
    Conflict `orgs.no_longer_a_member`; PermissionDenied without `org.members.manage`.
    """
    if role == Role.OWNER:
        raise Problem("orgs.owner_not_assignable")
    lock_organization(membership.organization)
    require_under_lock(actor, MANAGE, membership.organization)
    membership = _locked(membership)
    before = membership.role
    if before == Role.OWNER:
        raise Problem("orgs.owner_stays")
    if membership.user_id == actor.pk:
        raise Problem("orgs.not_oneself")
    if before == role:
        return membership
    for one in (before, role):
        ensure_may_give(actor, membership.organization, one)
    _set_role(membership, role, actor)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, actor: User) -> None:
    """Takes a member out of the organization, with all that they had in it; oneself without any right. Raises as
    `change_role`."""
    lock_organization(membership.organization)
    membership = _locked(membership)
    if membership.role == Role.OWNER:
        raise Problem("orgs.owner_stays")
    if membership.user_id != actor.pk:
        require_under_lock(actor, MANAGE, membership.organization)
        ensure_may_give(actor, membership.organization, membership.role)
    _end(membership, actor, "member.removed" if membership.user_id != actor.pk else "member.left")


def leave(*, organization: Organization, user: User) -> None:
    """The person leaves. Raises Problem `orgs.owner_stays` for the Owner, Conflict `orgs.no_longer_a_member`."""
    membership = Membership.objects.filter(organization=organization, user=user).first()
    if membership is None:
        raise Conflict("orgs.no_longer_a_member")
    remove_member(membership=membership, actor=user)


@transaction.atomic
def transfer_ownership(*, organization: Organization, to: Membership, confirmation: str, actor: User) -> Membership:
    """Makes another member the Owner; the one before becomes an Admin. `confirmation` is its name, typed.

    Raises Problem `orgs.confirmation_differs`, `orgs.new_owner_not_able`; Conflict `orgs.no_longer_a_member`,
    `orgs.leaving`; PermissionDenied for who is not the Owner any more.
    """
    if confirmation != organization.name:
        raise Problem("orgs.confirmation_differs", expected=organization.name)
    lock_open(organization)
    require_under_lock(actor, "org.ownership.transfer", organization)
    heir = _locked(to)
    if heir.organization_id != organization.pk:
        raise Conflict("orgs.no_longer_a_member")
    if heir.role == Role.OWNER:
        return heir
    if not heir.user.is_active:
        raise Problem("orgs.new_owner_not_able", person=heir.user)
    owner = Membership.objects.select_for_update().get(organization=organization, role=Role.OWNER)
    # In this order: the constraint allows one Owner at a time.
    _set_role(owner, Role.ADMIN, actor)
    _set_role(heir, Role.OWNER, actor)
    audit.record(
        action="organization.ownership_transferred",
        actor=actor,
        organization_id=organization.pk,
        target=organization,
        before={"owner": str(owner.user)},
        after={"owner": str(heir.user)},
    )
    return heir


def _set_role(membership: Membership, role: str, actor: User) -> None:
    before, membership.role = membership.role, Role(role)
    membership.save(update_fields=["role", "updated_at"])
    audit.record(
        action="member.role_changed",
        actor=actor,
        organization_id=membership.organization_id,
        target=membership.user,
        before={"role": before},
        after={"role": role},
    )
    if MANAGE not in CODES_BY_MEMBERSHIP[role]:
        doors.close_written(membership, actor)


def _end(membership: Membership, actor: User, action: str) -> None:
    organization, user = membership.organization, membership.user
    audit.record(
        action=action, actor=actor, organization_id=organization.pk, target=user, before={"role": membership.role}
    )
    doors.close_known(membership, actor)
    membership.delete()


def _locked(membership: Membership) -> Membership:
    rows = Membership.objects.select_for_update(of=["self"]).select_related("organization", "user")
    found = rows.filter(pk=membership.pk).first()
    if found is None:
        raise Conflict("orgs.no_longer_a_member")
    return found
