"""Who has seen the code of which invitation. Whoever sees one can use it, or hand it on: once they may not give any
more what it gives, it lets nobody in, and a new one takes its place.

What is for one verified address is left out: knowing its code is worth nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F, Q

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.fields import unreadable
from apps.orgs import codes, doors
from apps.orgs.access import codes_for
from apps.orgs.members import MANAGE, may_give
from apps.orgs.models import Invitation, InvitationReader


def may_use(person: User, invitation: Invitation) -> bool:
    """Whether the invitation gives nothing that the person lacks: only then they see its code, or make it last."""
    return may_give(person, invitation.organization, invitation.role) and all(
        "project.view" in codes_for(person, invitation.organization_id, key) for key in invitation.project_ids
    )


def may_see(person: User, invitation: Invitation) -> bool:
    """Whether the code is shown: whoever sees it can use it, as long as it lets somebody in. Whoever shows it calls
    `note`."""
    return invitation.is_open and may_use(person, invitation) and not unreadable(invitation)


def may_know(person: User, invitation: Invitation) -> bool:
    """Whether the person, as they are now, may write such an invitation."""
    return MANAGE in codes_for(person, invitation.organization_id) and may_use(person, invitation)


def note(invitations: Iterable[Invitation], person: User) -> None:
    """The person is shown the codes of these."""
    rows = [InvitationReader(invitation=one, user=person) for one in invitations if not one.email]
    InvitationReader.objects.bulk_create(rows, ignore_conflicts=True)


def lost_by(invitation: Invitation) -> User | None:
    """Somebody who knows the code and may not any more, if there is one."""
    readers = User.objects.filter(read_invitations__invitation=invitation)
    return next((person for person in readers if not may_know(person, invitation)), None)


def settle(
    organization_id: uuid.UUID,
    user_ids: Collection[uuid.UUID] | None = None,
    *,
    invitation_id: uuid.UUID | None = None,
) -> None:
    """Revokes what was written by people (these, or anybody) who may not write it any more, and makes the code anew
    of what they have seen; of all invitations, or of one. The expired ones too: they could be made valid for longer."""
    rows = Invitation.objects.filter(organization_id=organization_id, revoked_at=None, uses__lt=F("max_uses"))
    if invitation_id is not None:
        rows = rows.filter(pk=invitation_id)
    if user_ids is not None:
        rows = rows.filter(Q(invited_by__in=user_ids) | Q(readers__user__in=user_ids)).distinct()
    people: dict[uuid.UUID, User] = {}
    # Nothing is decrypted that nobody looks at here.
    rows = rows.order_by("pk").select_related("organization", "invited_by").defer("code", "link_token")
    for invitation in rows.prefetch_related("readers__user"):
        if not all(may_know(person, invitation) for person in _who_know(invitation, people)):
            _settle_one(invitation.pk)


def _who_know(invitation: Invitation, people: dict[uuid.UUID, User]) -> list[User]:
    """Who wrote it, and who has seen its code; each as one object, so that rights are asked for once."""
    found = [reader.user for reader in invitation.readers.all()]
    if invitation.invited_by is not None:
        found.append(invitation.invited_by)
    return [people.setdefault(person.pk, person) for person in found]


@transaction.atomic
def _settle_one(key: uuid.UUID) -> None:
    """Asks once more, with the row held: somebody else may have settled it meanwhile."""
    rows = Invitation.objects.select_for_update(of=["self"]).select_related("organization")
    invitation = rows.filter(pk=key, revoked_at=None).first()
    if invitation is None:  # revoked or cleaned up meanwhile
        return
    writer = User.objects.filter(pk=invitation.invited_by_id).first()
    if writer is not None and not may_know(writer, invitation):
        doors.close(invitation, None, writer)
        return
    reader = lost_by(invitation)
    if reader is None:
        return
    invitation.code_renewed_at = clock.now()
    codes.store_with_new_ones(invitation)
    invitation.readers.all().delete()
    audit.record(
        action="invitation.code_renewed",
        organization_id=invitation.organization_id,
        target=invitation,
        after={"role": invitation.role, "because_of": str(reader)},
    )
