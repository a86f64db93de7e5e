"""Reads from the database what a person was given in an organization: three queries."""

from __future__ import annotations

import uuid

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast
from guardian.models import GroupObjectPermission, UserObjectPermission

from apps.orgs.grants import ON_ORGANIZATIONS, ON_PROJECTS, PREFIX
from apps.orgs.models import CustomRoleAssignment, Membership, PermissionOverride
from apps.orgs.rights import Grant, Rights, Source


def load(user_id: uuid.UUID, organization_id: uuid.UUID) -> Rights:
    """The person's rights as they are committed now."""
    roles = list(_roles(user_id, organization_id))
    if not any(kind == "member" for kind, *_ in roles):
        return Rights([])
    return Rights(
        [*_role_grants(roles), *_custom_roles(user_id, organization_id), *_overrides(user_id, organization_id)]
    )


def _roles(user_id: uuid.UUID, organization_id: uuid.UUID) -> QuerySet:
    """Rows (kind, role, object, team): that the person is a member, and django-guardian's rows for them and their
    teams."""

    def columns(rows: QuerySet, kind: object, role: object, target: object, team: object) -> QuerySet:
        return rows.order_by().values_list(
            Cast(kind, CharField()), Cast(role, CharField()), Cast(target, CharField()), Cast(team, CharField())
        )

    members = Membership.objects.filter(user_id=user_id, organization_id=organization_id)
    own = UserObjectPermission.objects.filter(
        Q(object_pk=str(organization_id), **ON_ORGANIZATIONS) | Q(**ON_PROJECTS),
        user_id=user_id,
        permission__codename__startswith=PREFIX,
    )
    teams = GroupObjectPermission.objects.filter(
        group__user=user_id,
        group__team__organization_id=organization_id,
        permission__codename__startswith=PREFIX,
        **ON_PROJECTS,
    )
    return columns(members, Value("member"), "role", "organization_id", Value("")).union(
        columns(own, "content_type__model", "permission__codename", "object_pk", Value("")),
        columns(teams, Value("team"), "permission__codename", "object_pk", "group__team__name"),
        all=True,
    )


def _role_grants(rows: list[tuple[str, str, str, str]]) -> list[Grant]:
    grants = []
    for kind, codename, target, team in rows:
        role = codename.removeprefix(PREFIX)
        if kind == "organization":
            grants.append(Grant(Source.MEMBERSHIP, role))
        elif kind == "project":
            grants.append(Grant(Source.PERSON, role, target))
        elif kind == "team":
            grants.append(Grant(Source.TEAM, role, target, team))
    return grants


def _custom_roles(user_id: uuid.UUID, organization_id: uuid.UUID) -> list[Grant]:
    rows = CustomRoleAssignment.objects.filter(user_id=user_id, role__organization_id=organization_id)
    return [
        Grant(Source.CUSTOM, name, str(project or ""), codes=tuple(codes))
        for name, codes, project in rows.values_list("role__name", "role__codes", "on_project")
    ]


def _overrides(user_id: uuid.UUID, organization_id: uuid.UUID) -> list[Grant]:
    rows = PermissionOverride.objects.filter(user_id=user_id, organization_id=organization_id).in_force()
    return [
        Grant(
            Source.OVERRIDE,
            row.code,
            str(row.on_project or ""),
            codes=(row.code,),
            denies=row.effect == PermissionOverride.Effect.DENY,
            expires_at=row.expires_at.timestamp() if row.expires_at else None,
        )
        for row in rows
    ]
