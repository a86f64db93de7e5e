"""Which rows exist for a person: the rule behind `visible_to`, as one condition of one query.

The parts that say what the person was given are SQL: every list of every page asks them, and Django would take ten
times as long to build them as PostgreSQL takes to answer. The texts are constant, the values are parameters.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from apps.core import clock
from apps.orgs.models import SupportAccess
from apps.orgs.paths import is_optional, organization_path_of, project_path_of
from apps.orgs.scope import Scope, scope_of

_MEMBER_OF = "SELECT organization_id FROM orgs_membership WHERE user_id = %s"
# Where every project is seen: as Owner, Admin or Viewer, or by project.view from a role or an exception.
_SEES_ALL_OF = """
SELECT organization_id FROM orgs_membership WHERE user_id = %s AND role IN ('owner', 'admin', 'viewer')
UNION ALL
SELECT role.organization_id FROM orgs_customroleassignment given JOIN orgs_customrole role ON role.id = given.role_id
 WHERE given.user_id = %s AND given.on_project IS NULL AND 'project.view' = ANY (role.codes)
UNION ALL
SELECT organization_id FROM orgs_permissionoverride
 WHERE user_id = %s AND on_project IS NULL AND code = 'project.view' AND effect = 'grant'
   AND (expires_at IS NULL OR expires_at > %s)
"""
# The cast stands on the side of the few, so that the index on the other side is used.
_PROJECTS = """
SELECT held.object_pk::uuid FROM guardian_userobjectpermission held
  JOIN auth_permission permission ON permission.id = held.permission_id
  JOIN django_content_type kind ON kind.id = held.content_type_id
 WHERE held.user_id = %s AND starts_with(permission.codename, 'role_')
   AND kind.app_label = 'projects' AND kind.model = 'project'
UNION ALL
SELECT held.object_pk::uuid FROM accounts_user_groups place
  JOIN guardian_groupobjectpermission held ON held.group_id = place.group_id
  JOIN auth_permission permission ON permission.id = held.permission_id
  JOIN django_content_type kind ON kind.id = held.content_type_id
 WHERE place.user_id = %s AND starts_with(permission.codename, 'role_')
   AND kind.app_label = 'projects' AND kind.model = 'project'
UNION ALL
SELECT given.on_project FROM orgs_customroleassignment given JOIN orgs_customrole role ON role.id = given.role_id
 WHERE given.user_id = %s AND given.on_project IS NOT NULL AND 'project.view' = ANY (role.codes)
UNION ALL
SELECT on_project FROM orgs_permissionoverride
 WHERE user_id = %s AND on_project IS NOT NULL AND code = 'project.view' AND effect = 'grant'
   AND (expires_at IS NULL OR expires_at > %s)
"""
# Nothing is taken from an Owner.
_TAKEN = """
SELECT taken.{column} FROM orgs_permissionoverride taken
 WHERE taken.user_id = %s AND taken.on_project IS {kind} AND taken.code = 'project.view' AND taken.effect = 'deny'
   AND (taken.expires_at IS NULL OR taken.expires_at > %s)
   AND NOT EXISTS (SELECT 1 FROM orgs_membership own WHERE own.organization_id = taken.organization_id
                   AND own.user_id = taken.user_id AND own.role = 'owner')
"""
_ORGANIZATIONS_TAKEN = _TAKEN.format(column="organization_id", kind="NULL")
_PROJECTS_TAKEN = _TAKEN.format(column="on_project", kind="NOT NULL")


def condition_for(model: type[models.Model], user: Any) -> Q:
    """The rows that exist for a person who is signed in: those of their organizations, of the projects that they
    reach; for staff also those of organizations that are open to them now, and for a portal admin the platform's."""
    path = organization_path_of(model)
    condition = Q(**{_organization(path): RawSQL(_MEMBER_OF, [user.pk])})  # noqa: S611  (the text is constant)
    if project_path_of(model) is not None:
        condition &= _reached(model, user)
    if user.is_staff:
        entered = SupportAccess.objects.active().filter(staff_id=user.pk).values("organization_id")
        condition |= Q(**{_organization(path): entered})
    if user.is_superuser and path and is_optional(model, path):
        condition |= Q(**{f"{path}__isnull": True})
    scope = scope_of(user)
    return condition if scope is None else condition & _within(model, scope)


def _organization(path: str) -> str:
    return f"{path}__pk__in" if path else "pk__in"


def _reached(model: type[models.Model], user: Any) -> Q:
    """The projects that a member reaches; docs/rights.md says the rule in words, `Rights.reaches` in Python."""
    organization, project = _organization(organization_path_of(model)), project_path_of(model)
    one, now = user.pk, clock.now()

    def among(lookup: str, text: str, *parameters: Any) -> Q:
        return Q(**{lookup: RawSQL(text, parameters)})  # noqa: S611  (the texts are constant)

    reached = among(organization, _SEES_ALL_OF, one, one, one, now)
    reached |= among(f"{project}__in", _PROJECTS, one, one, one, one, now)
    reached &= ~among(organization, _ORGANIZATIONS_TAKEN, one, now)
    reached &= ~among(f"{project}__in", _PROJECTS_TAKEN, one, now)
    return reached | Q(**{f"{project}__isnull": True}) if is_optional(model, project) else reached


def _within(model: type[models.Model], scope: Scope) -> Q:
    condition, path, project = Q(), organization_path_of(model), project_path_of(model)
    if scope.organization_ids is not None:
        condition &= Q(**{_organization(path): scope.organization_ids})
    if scope.project_id is not None and project is not None:
        condition &= Q(**{project: scope.project_id})
    return condition
