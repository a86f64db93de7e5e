"""A member of staff looks at the portal through a person's eyes: what is begun, what it may see, how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.orgs.access import Scope, narrow
from apps.orgs.models import Membership, Organization, ViewAs
from apps.orgs.support import open_organizations, require_staff

LONGEST = timedelta(minutes=30)


@transaction.atomic
def begin(*, staff: User, person: User, reason: str) -> ViewAs:
    """Begins to look as `person`, for half an hour, at those of their organizations that are open to `staff`.

    Raises PermissionDenied for anybody who is not staff (so too for a person who is looked through just now), Problem
    `orgs.view_as_not_of_staff`, `orgs.view_as_nothing_open`, Conflict `orgs.view_as_open`, ValidationError."""
    require_staff(staff)
    if person.is_staff or person.is_superuser or not person.is_active or person.pk == staff.pk:
        raise Problem("orgs.view_as_not_of_staff", person=person)
    User.objects.select_for_update().get(pk=staff.pk)  # one view at a time, whoever asks at once
    if open_view_of(staff) is not None:
        raise Conflict("orgs.view_as_open")
    memberships = Membership.objects.filter(user=person, organization__in=open_organizations(staff))
    organization_ids = sorted(memberships.values_list("organization_id", flat=True))
    if not organization_ids:
        raise Problem("orgs.view_as_nothing_open", person=person)
    view = ViewAs(staff=staff, person=person, reason=reason.strip(), organization_ids=organization_ids)
    view.expires_at = clock.now() + LONGEST
    view.full_clean(exclude=["ended_at"])
    view.save()
    _record(view, "view_as.begun")
    return view


@transaction.atomic
def end(view: ViewAs) -> None:
    """Ends it: by hand, or because its time is over. Harmless for one that has ended."""
    view = ViewAs.objects.select_for_update(of=["self"]).select_related("staff", "person").get(pk=view.pk)
    if view.ended_at is None:
        view.ended_at = min(clock.now(), view.expires_at)
        view.save(update_fields=["ended_at", "updated_at"])
        _record(view, "view_as.ended")


def open_view_of(staff: User) -> ViewAs | None:
    """The view that this member of staff has open; one whose time is over is ended by asking."""
    view = ViewAs.objects.select_related("staff", "person").filter(staff_id=staff.pk, ended_at=None).first()
    if view is not None and not view.is_open:
        end(view)
        return None
    return view


def narrowed_person(view: ViewAs) -> User | None:
    """The person as the pages get them: reading only, in the organizations that are open still. None where the view
    is over, or must be: nothing is open any more, the person became staff or was locked out, the staff are staff no
    more."""
    person, staff = view.person, view.staff
    if not view.is_open or person.is_staff or person.is_superuser or not person.is_active:
        return None
    if not (staff.is_active and staff.is_staff):
        return None
    left = open_organizations(staff) & frozenset(view.organization_ids)
    return narrow(person, Scope(organization_ids=left, read_only=True)) if left else None


def end_overdue() -> int:
    """Ends the views whose time is over though nobody came back to them. Returns how many."""
    overdue = ViewAs.objects.filter(ended_at=None, expires_at__lte=clock.now())
    views: Iterable[ViewAs] = list(overdue)
    for view in views:
        end(view)
    return len(views)


def _record(view: ViewAs, action: str) -> None:
    """In the trail of every organization that is looked at, so that each sees it."""
    existing = Organization.objects.filter(pk__in=view.organization_ids).values_list("pk", flat=True)
    recipients: list[UUID | None] = list(existing) or [None]
    for organization_id in recipients:
        audit.record(
            action=action,
            actor=view.staff,
            organization_id=organization_id,
            target=view.person,
            after={"reason": view.reason, "expires_at": view.expires_at.isoformat()},
        )
