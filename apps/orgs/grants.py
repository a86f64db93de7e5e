"""django-guardian's rows: who has which role on which object. Nothing else is stored by it, and only here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from guardian.models import GroupObjectPermission, UserObjectPermission

PREFIX = "role_"


def organization_type() -> ContentType:
    """The content type of organizations."""
    return ContentType.objects.get_by_natural_key("orgs", "organization")


def project_type() -> ContentType:
    """The content type of projects, by name: they live in a layer above."""
    return ContentType.objects.get_by_natural_key("projects", "project")


def set_role(target: models.Model, role: str | None, *, user: Any = None, group: Group | None = None) -> str | None:
    """Gives a person or a team this role on an organization or a project instead of the one they had (None: takes it
    away), and returns that one. The caller holds a lock on the person's membership or on the team."""
    rows = _rows_of(target, user, group)
    with transaction.atomic():
        before = rows.values_list("permission__codename", flat=True).first()
        rows.delete()
        if role is not None:
            holder = {"user": user} if group is None else {"group": group}
            rows.model.objects.create(
                permission=_permission(target, role),
                content_type=ContentType.objects.get_for_model(target),
                object_pk=str(target.pk),
                **holder,
            )
    return before.removeprefix(PREFIX) if before else None


def role_of(target: models.Model, *, user: Any = None, group: Group | None = None) -> str | None:
    """The role that a person or a team has on the object itself."""
    codename = _rows_of(target, user, group).values_list("permission__codename", flat=True).first()
    return codename.removeprefix(PREFIX) if codename else None


def roles_on(target: models.Model) -> tuple[dict[uuid.UUID, str], dict[int, str]]:
    """Everybody's roles on one object: {person's id: role}, {group's id: role}."""
    people, groups = (
        {
            row[0]: row[1].removeprefix(PREFIX)
            for row in model.objects.filter(
                content_type=ContentType.objects.get_for_model(target),
                object_pk=str(target.pk),
                permission__codename__startswith=PREFIX,
            ).values_list(column, "permission__codename")
        }
        for model, column in ((UserObjectPermission, "user_id"), (GroupObjectPermission, "group_id"))
    )
    return people, groups


def project_roles_of(groups: Iterable[Group]) -> list[tuple[int, str, str]]:
    """What teams have: (group's id, project's id, role)."""
    rows = GroupObjectPermission.objects.filter(
        group__in=groups, content_type=project_type(), permission__codename__startswith=PREFIX
    )
    found = rows.values_list("group_id", "object_pk", "permission__codename")
    return [(group, project, codename.removeprefix(PREFIX)) for group, project, codename in found]


def forget_member(user_id: uuid.UUID, organization_id: uuid.UUID) -> None:
    """Takes the person's role in the organization away."""
    UserObjectPermission.objects.filter(
        user_id=user_id, content_type=organization_type(), object_pk=str(organization_id)
    ).delete()


def forget_project(project_id: uuid.UUID) -> None:
    """Takes away everybody's role on a project that is gone."""
    for model in (UserObjectPermission, GroupObjectPermission):
        model.objects.filter(content_type=project_type(), object_pk=str(project_id)).delete()


def forget_person_on_projects(user_id: uuid.UUID, projects: models.QuerySet) -> None:
    """Takes the person's own roles on these projects (a query of their ids as text) away."""
    UserObjectPermission.objects.filter(user_id=user_id, content_type=project_type(), object_pk__in=projects).delete()


def people_on_project(project_id: uuid.UUID) -> set[uuid.UUID]:
    """Everybody who has a role on the project, themselves or through a team."""
    on_it = {"content_type": project_type(), "object_pk": str(project_id)}
    people = UserObjectPermission.objects.filter(**on_it).values_list("user_id", flat=True)
    members = GroupObjectPermission.objects.filter(group__user__isnull=False, **on_it)
    return {*people, *members.values_list("group__user", flat=True)}


def copy_memberships(memberships: Iterable[Any]) -> None:
    """Rows for many memberships that were inserted at once (`bulk_create` tells nobody). Those that exist stay."""
    target = organization_type()
    permissions = dict(
        Permission.objects.filter(content_type=target, codename__startswith=PREFIX).values_list("codename", "pk")
    )
    UserObjectPermission.objects.bulk_create(
        (
            UserObjectPermission(
                user_id=membership.user_id,
                permission_id=permissions[f"{PREFIX}{membership.role}"],
                content_type=target,
                object_pk=str(membership.organization_id),
            )
            for membership in memberships
        ),
        ignore_conflicts=True,
        batch_size=2000,
    )


def _rows_of(target: models.Model, user: Any, group: Group | None) -> models.QuerySet:
    rows = (
        UserObjectPermission.objects.filter(user=user)
        if group is None
        else GroupObjectPermission.objects.filter(group=group)
    )
    return rows.filter(
        content_type=ContentType.objects.get_for_model(target),
        object_pk=str(target.pk),
        permission__codename__startswith=PREFIX,
    )


def _permission(target: models.Model, role: str) -> Permission:
    return Permission.objects.get_by_natural_key(f"{PREFIX}{role}", target._meta.app_label, target._meta.model_name)
