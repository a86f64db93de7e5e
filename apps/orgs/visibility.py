"""Which rows exist for a person: the rule behind `visible_to`, as one condition of one query."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q, QuerySet, UUIDField
from django.db.models.functions import Cast
from guardian.models import GroupObjectPermission, UserObjectPermission

from apps.orgs.grants import ON_PROJECTS, PREFIX
from apps.orgs.models import CustomRoleAssignment, Membership, PermissionOverride, SupportAccess
from apps.orgs.paths import is_optional, organization_path_of, project_path_of
from apps.orgs.roles import SEES_ALL_PROJECTS, Role
from apps.orgs.scope import Scope, scope_of

SEEING = "project.view"


def condition_for(model: type[models.Model], user: Any) -> Q:
    """The rows that exist for a person who is signed in: those of their organizations, of the projects that they
    reach; for staff also those of organizations that are open to them now, and for a portal admin the platform's."""
    path = organization_path_of(model)
    condition = Q(_inside(path, Membership.objects.filter(user_id=user.pk).values("organization_id")))
    if project_path_of(model) is not None:
        condition &= _reached(model, user)
    if user.is_staff:
        condition |= _inside(path, SupportAccess.objects.active().filter(staff_id=user.pk).values("organization_id"))
    if user.is_superuser and path and is_optional(model, path):
        condition |= Q(**{f"{path}__isnull": True})
    scope = scope_of(user)
    return condition if scope is None else condition & _within(model, scope)


def _inside(path: str, organizations: QuerySet) -> Q:
    return Q(**{f"{path}__pk__in" if path else "pk__in": organizations})


def _reached(model: type[models.Model], user: Any) -> Q:
    """The projects that a member reaches; docs/rights.md says the rule in words, `Rights.reaches` in Python."""
    organization, project = organization_path_of(model), project_path_of(model)
    mine = {"user_id": user.pk}
    everywhere = Membership.objects.filter(role__in=SEES_ALL_PROJECTS, **mine).values("organization_id")
    custom = CustomRoleAssignment.objects.filter(role__codes__contains=[SEEING], **mine)
    overrides = PermissionOverride.objects.in_force().filter(code=SEEING, **mine)
    given = overrides.filter(effect=PermissionOverride.Effect.GRANT)
    taken = overrides.filter(effect=PermissionOverride.Effect.DENY).exclude(
        organization__memberships__in=Membership.objects.filter(role=Role.OWNER, **mine)
    )
    reached = (
        _inside(organization, everywhere)
        | _inside(organization, custom.filter(on_project=None).values("role__organization_id"))
        | _inside(organization, given.filter(on_project=None).values("organization_id"))
    )
    for projects in (
        _objects(UserObjectPermission.objects.filter(**mine)),
        _objects(GroupObjectPermission.objects.filter(group__user=user.pk)),
        custom.exclude(on_project=None).values("on_project"),
        given.exclude(on_project=None).values("on_project"),
    ):
        reached |= Q(**{f"{project}__in": projects})
    reached &= ~_inside(organization, taken.filter(on_project=None).values("organization_id"))
    reached &= ~Q(**{f"{project}__in": taken.exclude(on_project=None).values("on_project")})
    return reached | Q(**{f"{project}__isnull": True}) if is_optional(model, project) else reached


def _objects(rows: QuerySet) -> QuerySet:
    """The projects of django-guardian's rows. The cast stands on the side of the few, so that the index on the other
    side is used."""
    roles = rows.filter(permission__codename__startswith=PREFIX, **ON_PROJECTS)
    return roles.annotate(project=Cast("object_pk", UUIDField())).values("project")


def _within(model: type[models.Model], scope: Scope) -> Q:
    condition, path, project = Q(), organization_path_of(model), project_path_of(model)
    if scope.organization_ids is not None:
        condition &= Q(**{f"{path}__in" if path else "pk__in": scope.organization_ids})
    if scope.project_id is not None and project is not None:
        condition &= Q(**{project: scope.project_id})
    return condition
