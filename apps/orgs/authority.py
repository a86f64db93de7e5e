"""Nobody gives, or takes, more than they have themselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from apps.core.exceptions import Problem
from apps.orgs.access import codes_for
from apps.orgs.models import Membership
from apps.orgs.roles import Role


def ensure_within_own(
    actor: Any, codes: Iterable[str], organization_id: uuid.UUID, project_id: uuid.UUID | None = None
) -> None:
    """Raises Problem `orgs.more_than_own` where one of the codes is not the actor's, in the organization or on the
    project."""
    missing = sorted(set(codes) - codes_for(actor, organization_id, project_id))
    if missing:
        raise Problem("orgs.more_than_own", missing=", ".join(missing[:3]), count=len(missing))


def lock_member(organization_id: uuid.UUID, user: Any) -> Membership:
    """The membership, held until the transaction ends, so that two changes to one person come one after the other.
    Raises Problem `orgs.not_a_member`."""
    rows = Membership.objects.select_for_update(of=["self"]).select_related("user")
    found = rows.filter(organization_id=organization_id, user=user).first()
    if found is None:
        raise Problem("orgs.not_a_member")
    return found


def ensure_somebody_else(actor: Any, member: Membership) -> None:
    """Raises Problem `orgs.not_oneself` where somebody changes their own rights, `orgs.owner_exempt` for the Owner's,
    who has them all and always."""
    if member.role == Role.OWNER:
        raise Problem("orgs.owner_exempt")
    if member.user_id == actor.pk:
        raise Problem("orgs.not_oneself")
