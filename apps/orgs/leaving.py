"""The end of an organization: wished for by its Owner, taken back within seven days, or carried out."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.orgs.members import require_under_lock
from apps.orgs.models import Organization
from apps.orgs.models.organization import DELETION_GRACE
from apps.orgs.services import lock_organization
from apps.orgs.signals import organization_in_use

DELETE = "org.delete"
# A message names no more than these.
MOST_NAMED = 20


def objections(organization: Organization) -> list[str]:
    """The names of what runs in it, and must be destroyed first."""
    answers = organization_in_use.send(Organization, organization=organization)
    return [name for _receiver, names in answers for name in names or ()]


@transaction.atomic
def request_deletion(*, organization: Organization, confirmation: str, actor: User) -> Organization:
    """Says that the organization is deleted in seven days; from now on nothing new is made in it. `confirmation` is its
    name, typed. Harmless to repeat: the day stays.

    Raises Problem `orgs.confirmation_differs`; Conflict `orgs.in_use`, which names what must be destroyed first;
    PermissionDenied for who may not any more.
    """
    organization = lock_organization(organization)
    require_under_lock(actor, DELETE, organization)
    if confirmation != organization.name:
        raise Problem("orgs.confirmation_differs", expected=organization.name)
    if organization.is_leaving:
        return organization
    names = objections(organization)
    if names:
        named = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if (more := len(names) - MOST_NAMED) > 0 else "")
        raise Conflict("orgs.in_use", organization=organization.name, names=named)
    organization.delete_after = clock.now() + DELETION_GRACE
    organization.deletion_requested_by = actor
    organization.save(update_fields=["delete_after", "deletion_requested_by", "updated_at"])
    _record("organization.deletion_requested", organization, actor, day=f"{organization.delete_after:%Y-%m-%d}")
    return organization


@transaction.atomic
def keep(*, organization: Organization, actor: User) -> Organization:
    """Takes the wish back. Harmless when there is none. Raises PermissionDenied for who may not any more."""
    organization = lock_organization(organization)
    require_under_lock(actor, DELETE, organization)
    if organization.is_leaving:
        organization.delete_after = organization.deletion_requested_by = None
        organization.save(update_fields=["delete_after", "deletion_requested_by", "updated_at"])
        _record("organization.kept", organization, actor)
    return organization


def _record(action: str, organization: Organization, actor: User | None, **after: str) -> None:
    audit.record(action=action, actor=actor, organization_id=organization.pk, target=organization, after=after)
