"""Invitations that are revoked because somebody goes, or may not invite any more: no door stays open behind them."""

from __future__ import annotations

from django.db.models import F, Q

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.orgs.access import rights_in
from apps.orgs.models import Invitation, Membership


def close_written(membership: Membership, actor: User) -> None:
    """Revokes the invitations that the member wrote."""
    _close(membership, Q(invited_by=membership.user_id), actor)


def close_known(membership: Membership, actor: User) -> None:
    """Revokes all that the member, who goes now, could come back by, under another name as well: what they wrote;
    every code that they have seen, or could read; the invitation that they came in by, if somebody else removes
    them."""
    known = Q(invited_by=membership.user_id) | Q(readers__user=membership.user_id)
    if "org.members.manage" in rights_in(membership.user, membership.organization_id).codes():
        known |= Q(email="")
    if membership.user_id != actor.pk:
        known |= Q(accepted__user=membership.user_id)
    _close(membership, known, actor)


def close(invitation: Invitation, actor: User | None, because_of: User) -> None:
    """Revokes one whose row is held."""
    invitation.revoked_at, invitation.revoked_by = clock.now(), actor
    invitation.save(update_fields=["revoked_at", "revoked_by", "updated_at"])
    audit.record(
        action="invitation.revoked",
        actor=actor,
        organization_id=invitation.organization_id,
        target=invitation,
        after={"role": invitation.role, "email": invitation.email, "because_of": str(because_of)},
    )


def _close(membership: Membership, which: Q, actor: User) -> None:
    # The expired ones too: they could be made valid for longer.
    rows = Invitation.objects.filter(organization=membership.organization, revoked_at=None, uses__lt=F("max_uses"))
    for invitation in rows.filter(which).distinct():
        close(invitation, actor, membership.user)
