"""Roles of persons and teams on one project: every write. A project is any object with `pk` and `organization_id`:
this layer does not know projects."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Problem
from apps.orgs import grants
from apps.orgs.authority import ensure_within_own, lock_member
from apps.orgs.models import CustomRoleAssignment, PermissionOverride, Team
from apps.orgs.rights_changes import changing
from apps.orgs.roles import CODES_BY_PROJECT_ROLE, ProjectRole


@transaction.atomic
def set_team_role(*, team: Team, project: Any, role: str | None, actor: User) -> None:
    """Gives a team a role on a project instead of the one it had; None takes it off the project.

    Raises Problem `orgs.more_than_own` where the role (the new or the old one) has rights that the actor lacks there,
    `orgs.other_organization` for a team of another organization, ValueError for a role that does not exist.
    """
    team = Team.objects.select_for_update().get(pk=team.pk)
    if team.organization_id != project.organization_id:
        raise Problem("orgs.other_organization")
    before = grants.role_of(project, group=team.group)
    if before == role:
        return
    _ensure_may_change(actor, project, before, role)
    grants.set_role(project, role, group=team.group)
    changing(team.group.user_set.values_list("pk", flat=True), team.organization_id)
    _record("project.team_role_changed", actor, project, before, role, team=team.name)


@transaction.atomic
def set_person_role(*, user: User, project: Any, role: str | None, actor: User) -> None:
    """Gives a member a role on a project besides those of the member's teams; None takes it away.

    Raises as set_team_role, and Problem `orgs.not_a_member` for somebody who is none.
    """
    lock_member(project.organization_id, user)
    before = grants.role_of(project, user=user)
    if before == role:
        return
    _ensure_may_change(actor, project, before, role)
    grants.set_role(project, role, user=user)
    changing([user.pk], project.organization_id)
    _record("project.member_role_changed", actor, project, before, role, person=str(user))


@transaction.atomic
def set_invited_role(*, user: User, project: Any, role: str) -> None:
    """The role that an invitation promised. Who wrote the invitation was asked then what they may give. Raises Problem
    `orgs.not_a_member`."""
    lock_member(project.organization_id, user)
    before = grants.set_role(project, role, user=user)
    changing([user.pk], project.organization_id)
    _record("project.member_role_changed", user, project, before, role, person=str(user))


@transaction.atomic
def forget_project(*, project_id: uuid.UUID, organization_id: uuid.UUID) -> None:
    """The project is gone: so is what people were given on it."""
    on_it = Q(on_project=project_id)
    people = set(grants.people_on_project(project_id))
    for rows in (
        CustomRoleAssignment.objects.filter(on_it, role__organization_id=organization_id),
        PermissionOverride.objects.filter(on_it, organization_id=organization_id),
    ):
        people.update(rows.values_list("user_id", flat=True))
        rows.delete()
    grants.forget_project(project_id)
    changing(people, organization_id)


def forget_person(*, user_id: uuid.UUID, projects: QuerySet) -> None:
    """Takes the person's own roles on these projects (a query of their ids as text) away. The caller says that rights
    change."""
    grants.forget_person_on_projects(user_id, projects)


def _ensure_may_change(actor: User, project: Any, before: str | None, role: str | None) -> None:
    for one in (before, role):
        if one is not None:
            ensure_within_own(actor, CODES_BY_PROJECT_ROLE[ProjectRole(one)], project.organization_id, project.pk)


def _record(action: str, actor: User, project: Any, before: str | None, role: str | None, **who: str) -> None:
    audit.record(
        action=action,
        actor=actor,
        organization_id=project.organization_id,
        target=project,
        before={**who, "role": before or ""},
        after={**who, "role": role or ""},
    )
