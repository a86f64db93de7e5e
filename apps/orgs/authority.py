"""Nobody gives, or takes, more than they have themselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from apps.core.exceptions import Problem
from apps.orgs.access import codes_for, forget, rights_in
from apps.orgs.models import Membership
from apps.orgs.roles import CODES_BY_ROLE, Role


def reaches_everything(actor: Any, organization_id: uuid.UUID) -> bool:
    """Whether every project of the organization exists for the actor, the coming ones as well."""
    return actor.is_superuser or rights_in(actor, organization_id).reaches(None)


def codes_everywhere(actor: Any, organization_id: uuid.UUID) -> frozenset[str]:
    """What the actor may give everywhere: their codes in the organization, without those that an exception takes from
    them on one of its projects, where the gift would count as well."""
    codes = codes_for(actor, organization_id)
    if actor.is_superuser:
        return codes
    taken = rights_in(actor, organization_id).taken_on_projects()
    return codes - (taken - CODES_BY_ROLE["portal_support"] if actor.is_staff else taken)


def ensure_within_own(
    actor: Any,
    codes: Iterable[str],
    organization_id: uuid.UUID,
    project_id: uuid.UUID | None = None,
    *,
    held: bool = True,
) -> None:
    """Raises Problem `orgs.more_than_own` where one of the codes is not the actor's, in the organization or on the
    project. Where none is named a code counts on every project: then it has to be the actor's on each, and for a
    project's code they have to reach them all, unless nobody gets or loses it now (not `held`). The rights are those of
    this moment, not those of the request's beginning."""
    forget(actor)
    codes = set(codes)
    missing = sorted(codes - codes_for(actor, organization_id, project_id))
    if not missing and held and project_id is None:
        beyond = codes - codes_everywhere(actor, organization_id)
        if not reaches_everything(actor, organization_id):
            beyond |= {code for code in codes if code.startswith("project.")}
        missing = [f"{code} on every project" for code in sorted(beyond)]
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
