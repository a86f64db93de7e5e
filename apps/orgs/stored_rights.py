"""Reads from the database what a person was given in an organization.

In SQL, because it is asked by every request whose answer is not cached: Django takes four times as long to build these
five queries as PostgreSQL takes to answer them. The text is constant, the values are parameters.
"""

from __future__ import annotations

import uuid

from django.db import connection

from apps.core import clock
from apps.orgs.rights import Grant, Rights

# source, name, project, team, codes, denies, seconds of the end. "member" says that the membership is there.
_GRANTS = """
SELECT 'member', role, '', '', NULL::varchar[], false, NULL::float8
  FROM orgs_membership WHERE user_id = %(user)s AND organization_id = %(organization)s
UNION ALL
SELECT CASE kind.model WHEN 'organization' THEN 'membership' ELSE 'person' END, substr(permission.codename, 6),
       CASE kind.model WHEN 'organization' THEN '' ELSE held.object_pk END, '', NULL, false, NULL
  FROM guardian_userobjectpermission held
  JOIN auth_permission permission ON permission.id = held.permission_id
  JOIN django_content_type kind ON kind.id = held.content_type_id
 WHERE held.user_id = %(user)s AND starts_with(permission.codename, 'role_')
   AND ((kind.app_label = 'orgs' AND kind.model = 'organization' AND held.object_pk = %(organization_text)s)
        OR (kind.app_label = 'projects' AND kind.model = 'project'))
UNION ALL
SELECT 'team', substr(permission.codename, 6), held.object_pk, team.name, NULL, false, NULL
  FROM accounts_user_groups place
  JOIN orgs_team team ON team.group_id = place.group_id
  JOIN guardian_groupobjectpermission held ON held.group_id = place.group_id
  JOIN auth_permission permission ON permission.id = held.permission_id
  JOIN django_content_type kind ON kind.id = held.content_type_id
 WHERE place.user_id = %(user)s AND team.organization_id = %(organization)s
   AND starts_with(permission.codename, 'role_') AND kind.app_label = 'projects' AND kind.model = 'project'
UNION ALL
SELECT 'custom', role.name, coalesce(given.on_project::text, ''), '', role.codes, false, NULL
  FROM orgs_customroleassignment given JOIN orgs_customrole role ON role.id = given.role_id
 WHERE given.user_id = %(user)s AND role.organization_id = %(organization)s
UNION ALL
SELECT 'override', code, coalesce(on_project::text, ''), '', ARRAY[code], effect = 'deny',
       extract(epoch FROM expires_at)::float8
  FROM orgs_permissionoverride
 WHERE user_id = %(user)s AND organization_id = %(organization)s
   AND (expires_at IS NULL OR expires_at > %(now)s)
"""


def load(user_id: uuid.UUID, organization_id: uuid.UUID) -> Rights:
    """The person's rights as they are committed now, in one query."""
    parameters = {
        "user": user_id,
        "organization": organization_id,
        "organization_text": str(organization_id),
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS, parameters)
        rows = cursor.fetchall()
    if not any(source == "member" for source, *_ in rows):
        return Rights([])
    return Rights(
        Grant(source, name, project, team, tuple(codes or ()), denies, expires_at)
        for source, name, project, team, codes, denies, expires_at in rows
        if source != "member"
    )
