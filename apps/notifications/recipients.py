"""Who is told of an event: members who may see it and want to be told."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import F

from apps.accounts.models import User
from apps.notifications import preferences
from apps.notifications.models import Channel, Event
from apps.orgs.access import has_permission


def people_for(event: Event) -> dict[str, list[User]]:
    """Whom to tell by each channel. Rights are asked for those only who want to be told."""
    members = list(User.objects.filter(memberships__organization_id=event.organization_id, is_active=True))
    if not event.description.tells_actor:
        members = [person for person in members if person.pk != event.actor_id]
    wanted = {channel: preferences.who_wants(event, channel, members) for channel in Channel.values}
    anybody = set().union(*wanted.values())
    allowed = {person.pk for person in members if person.pk in anybody and may_be_told(person, event)}
    wanted[Channel.MAIL] &= with_verified_address(allowed & wanted[Channel.MAIL])
    return {channel: [person for person in members if person.pk in ids & allowed] for channel, ids in wanted.items()}


def may_be_told(person: User, event: Event) -> bool:
    """True when the person has the kind's permission on the project (or the organization) of the event."""
    target = event.project if event.project_id is not None else event.organization
    return has_permission(person, event.description.permission, target)


def with_verified_address(user_ids: Any) -> set[Any]:
    """Those of the people whose address is known to be theirs: nobody else's mailbox is written to."""
    rows = EmailAddress.objects.filter(user_id__in=user_ids, verified=True, email__iexact=F("user__email"))
    return set(rows.values_list("user_id", flat=True))
