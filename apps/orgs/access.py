"""The one question: may this person do this to this object?"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models

from apps.orgs.models import Membership
from apps.orgs.roles import ALL_CODES, CODES_BY_MEMBERSHIP, CODES_BY_ROLE
from apps.orgs.scope import Scope, narrow, scope_of

__all__ = [
    "Scope",
    "codes_in",
    "codes_on",
    "has_permission",
    "narrow",
    "organization_id_of",
    "project_id_of",
    "require",
    "scope_of",
]

_NOTHING: frozenset[str] = frozenset()


def organization_id_of(target: Any) -> uuid.UUID | None:
    """The organization that an object belongs to; None for something of the platform's."""
    if target is None:
        return None
    organization_id = getattr(target, "organization_id", None)
    if organization_id is None:
        organization = getattr(target, "organization", None)
        organization_id = organization.pk if organization is not None else None
    return organization_id


def project_id_of(target: Any) -> uuid.UUID | None:
    """The project that an object belongs to; None for something of the organization's own tier."""
    if target is None:
        return None
    if target._meta.label_lower == "projects.project":
        return target.pk
    project_id = getattr(target, "project_id", None)
    if project_id is not None:
        return project_id
    for name in ("environment", "operation", "repository", "release", "deployment"):
        owner = getattr(target, name, None)
        if isinstance(owner, models.Model):
            return project_id_of(owner)
    return None


def codes_on(user: Any, target: Any) -> frozenset[str]:
    """All codes that the person has on the object, within the scope that the user object was narrowed to."""
    organization_id, scope = organization_id_of(target), scope_of(user)
    codes = codes_in(user, organization_id)
    return codes if scope is None else scope.reduce(codes, organization_id, project_id_of(target))


def codes_in(user: Any, organization_id: uuid.UUID | None) -> frozenset[str]:
    """All codes that the person has in an organization. Kept on the user object, so for one request or message;
    whoever lives longer loads the person anew."""
    if not user.is_active:
        return _NOTHING
    if user.is_superuser:
        return ALL_CODES
    kept = user.__dict__.setdefault("_codes_by_organization", {})
    if organization_id not in kept:
        codes = _NOTHING
        if organization_id is not None:
            membership = Membership.objects.filter(user_id=user.pk, organization_id=organization_id).first()
            codes = CODES_BY_MEMBERSHIP[membership.role] if membership else _NOTHING
        kept[organization_id] = codes | (CODES_BY_ROLE["portal_support"] if user.is_staff else _NOTHING)
    return kept[organization_id]


def has_permission(user: Any, code: str, target: Any = None) -> bool:
    """True when the person has the code on the object. Raises ValueError for a code that does not exist."""
    if code not in ALL_CODES:
        raise ValueError(f"There is no permission {code}.")
    return code in codes_on(user, target)


def require(user: Any, code: str, target: Any = None) -> None:
    """Raises PermissionDenied (403) unless the person has the code on the object. Ask `visible_to` first: to a
    stranger the object does not exist (404)."""
    if not has_permission(user, code, target):
        raise PermissionDenied(f"This needs the permission {code}.")
