"""What people want to be told of. The narrowest choice counts: project, organization, general, the kind's default."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.notifications.kinds import Kind, all_kinds, get_kind
from apps.notifications.models import Channel, Event, Preference
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404
from apps.projects.models import Project


@dataclass(frozen=True)
class Choice:
    """One cell of the page: `chosen` (None: nothing was chosen here) and what counts then."""

    channel: str
    label: str
    chosen: bool | None
    inherited: bool

    @property
    def name(self) -> str:
        return {None: "inherit", True: "on", False: "off"}[self.chosen]


@dataclass(frozen=True)
class Row:
    """One kind of event with a choice per channel."""

    kind: Kind
    choices: list[Choice]


def default_of(kind: Kind, channel: str) -> bool:
    """What counts for a person who chose nothing."""
    return kind.inbox if channel == Channel.INBOX else kind.mail


def who_wants(event: Event, channel: str, people: Iterable[User]) -> set[uuid.UUID]:
    """The ids of those who want to be told of the event by the channel. One query."""
    ids = {person.pk for person in people}
    narrower = Q(organization=None) | Q(organization_id=event.organization_id, project=None)
    if event.project_id is not None:
        narrower |= Q(project_id=event.project_id)
    rows = Preference.objects.filter(narrower, user__in=ids, kind=event.kind, channel=channel)
    chosen: dict[uuid.UUID, tuple[int, bool]] = {}
    for row in rows:
        rank = _rank(row)
        if row.user_id not in chosen or rank > chosen[row.user_id][0]:
            chosen[row.user_id] = (rank, row.is_wanted)
    default = default_of(event.description, channel)
    return {one for one in ids if chosen.get(one, (0, default))[1]}


def _rank(row: Preference) -> int:
    if row.project_id is not None:
        return 3
    return 2 if row.organization_id is not None else 1


def find_scope(user: User, scope: str) -> tuple[Organization | None, Project | None]:
    """The organization and project of `organization:ID` or `project:ID`; both None for the empty text. Raises Http404
    for what the person does not see."""
    if not scope:
        return None, None
    what, _, identifier = scope.partition(":")
    try:
        key = uuid.UUID(identifier)
    except ValueError:
        key = None
    if what == "project":
        project = get_visible_or_404(Project.objects.select_related("organization"), user, pk=key)
        return project.organization, project
    return get_visible_or_404(Organization, user, pk=key if what == "organization" else None), None


def table(user: User, organization: Organization | None = None, project: Project | None = None) -> list[Row]:
    """The page's rows for one scope. One query."""
    wider = Q(organization=None)
    if organization is not None:
        wider |= Q(organization=organization, project=None)
    if project is not None:
        wider |= Q(project=project)
    rank_here = 3 if project is not None else 2 if organization is not None else 1
    rows: dict[tuple[str, str], dict[int, bool]] = {}
    for row in Preference.objects.filter(wider, user=user):
        rows.setdefault((row.kind, row.channel), {})[_rank(row)] = row.is_wanted
    return [
        Row(kind, [_choice(kind, channel, rows.get((kind.name, channel), {}), rank_here) for channel in Channel.values])
        for kind in all_kinds()
        if kind.name != "webhook.test"
    ]


def _choice(kind: Kind, channel: str, chosen: dict[int, bool], rank_here: int) -> Choice:
    wider = [chosen[rank] for rank in sorted(chosen) if rank < rank_here]
    inherited = wider[-1] if wider else default_of(kind, channel)
    return Choice(channel, Channel(channel).label, chosen.get(rank_here), inherited)


@transaction.atomic
def set_preferences(
    *,
    user: User,
    choices: dict[tuple[str, str], bool | None],
    organization: Organization | None = None,
    project: Project | None = None,
) -> None:
    """Stores choices by (kind, channel) for one scope; None forgets one, so that the wider one counts again. Raises
    ValidationError for an unknown kind or channel."""
    organization = project.organization if project is not None else organization
    # Two forms sent at once come one after the other.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for (kind, channel), is_wanted in choices.items():
        _ensure_known(kind, channel)
        here = {"user": user, "organization": organization, "project": project, "kind": kind, "channel": channel}
        if is_wanted is None:
            Preference.objects.filter(**here).delete()
        else:
            Preference.objects.update_or_create(**here, defaults={"is_wanted": is_wanted})


def set_preference(*, user: User, kind: str, channel: str, is_wanted: bool | None, **scope: Any) -> None:
    """The same for one choice; `scope` may hold organization or project."""
    set_preferences(user=user, choices={(kind, channel): is_wanted}, **scope)


def _ensure_known(kind: str, channel: str) -> None:
    if channel not in Channel.values:
        raise ValidationError(f"There is no channel {channel[:50]}.")
    try:
        get_kind(kind)
    except KeyError as error:
        raise ValidationError(f"There is no kind of event {kind[:60]}.") from error
