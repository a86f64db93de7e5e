"""Teams: every write. What a team may do where is changed in project_roles.py."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict
from apps.orgs import grants
from apps.orgs.authority import ensure_within_own, lock_member
from apps.orgs.models import Colour, Organization, Team
from apps.orgs.roles import CODES_BY_PROJECT_ROLE, ProjectRole


@transaction.atomic
def create_team(
    *, organization: Organization, name: str, actor: User, description: str = "", colour: str = Colour.GREY
) -> Team:
    """A team without members and without projects. Raises Conflict `orgs.team_name_taken`, ValidationError."""
    team = Team(organization=organization, name=name, description=description, colour=colour)
    team.full_clean(exclude=["group"], validate_unique=False, validate_constraints=False)
    team.group = Group.objects.create(name=f"team:{team.pk}")
    _save(team)
    _record("team.created", team, actor, after={"description": description})
    return team


@transaction.atomic
def update_team(*, team: Team, name: str, actor: User, description: str = "", colour: str = Colour.GREY) -> Team:
    """Changes name, description and colour. Raises as create_team."""
    stored = Team.objects.select_for_update().get(pk=team.pk)
    before = {"name": stored.name, "description": stored.description, "colour": stored.colour}
    stored.name, stored.description, stored.colour = name, description, colour
    stored.full_clean(exclude=["group"], validate_unique=False, validate_constraints=False)
    _save(stored)
    after = {"name": name, "description": description, "colour": colour}
    _record("team.updated", stored, actor, before=before, after=after)
    return stored


@transaction.atomic
def delete_team(*, team: Team, actor: User) -> None:
    """Deletes the team; its members keep what they have from elsewhere. Raises Problem `orgs.more_than_own` where the
    team can do more on a project than the actor."""
    team = Team.objects.select_for_update().get(pk=team.pk)
    _ensure_may_change(team, actor)
    _record("team.deleted", team, actor, before={"members": team.group.user_set.count()})
    team.delete()


@transaction.atomic
def add_to_team(*, team: Team, user: User, actor: User) -> None:
    """Makes a member of the organization a member of the team; harmless for one who is.

    Raises Problem `orgs.not_a_member`, `orgs.more_than_own` where the team can do more on a project than the actor.
    """
    team = Team.objects.select_for_update().get(pk=team.pk)
    lock_member(team.organization_id, user)
    _ensure_may_change(team, actor)
    if not team.group.user_set.filter(pk=user.pk).exists():
        team.group.user_set.add(user)
        _record("team.member_added", team, actor, after={"person": str(user)})


@transaction.atomic
def remove_from_team(*, team: Team, user: User, actor: User) -> None:
    """Takes a person out of the team; harmless for one who is not in it. Raises as add_to_team."""
    team = Team.objects.select_for_update().get(pk=team.pk)
    _ensure_may_change(team, actor)
    if team.group.user_set.filter(pk=user.pk).exists():
        team.group.user_set.remove(user)
        _record("team.member_removed", team, actor, before={"person": str(user)})


def _ensure_may_change(team: Team, actor: User) -> None:
    for _, project, role in grants.project_roles_of([team.group]):
        ensure_within_own(actor, CODES_BY_PROJECT_ROLE[ProjectRole(role)], team.organization_id, uuid.UUID(project))


def _save(team: Team) -> None:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as error:
        raise Conflict("orgs.team_name_taken", name=team.name) from error


def _record(
    action: str,
    team: Team,
    actor: User,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        action=action,
        actor=actor,
        organization_id=team.organization_id,
        target=team,
        before=before,
        after=after,
    )
