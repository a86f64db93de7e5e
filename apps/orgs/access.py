"""The one question: may this person do this to this object?"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied

from apps.orgs import rights_cache
from apps.orgs.paths import organization_id_of, project_id_of
from apps.orgs.rights import NOTHING, Rights
from apps.orgs.roles import ALL_CODES, CODES_BY_ROLE
from apps.orgs.scope import Scope, narrow, scope_of

__all__ = [
    "Scope",
    "codes_for",
    "codes_on",
    "has_permission",
    "narrow",
    "organization_id_of",
    "project_id_of",
    "require",
    "rights_in",
    "scope_of",
]


def rights_in(user: Any, organization_id: uuid.UUID) -> Rights:
    """What the person was given in the organization. Kept on the user object, so for one request or message; whoever
    lives longer loads the person anew."""
    kept = _kept_on(user, "_rights_by_organization")
    if organization_id not in kept:
        kept[organization_id] = rights_cache.rights_of(user.pk, organization_id)
    return kept[organization_id]


def codes_for(user: Any, organization_id: uuid.UUID | None, project_id: uuid.UUID | None = None) -> frozenset[str]:
    """All codes that the person has in an organization (None: on the platform), on one of its projects if that is
    named, within the scope that the user object was narrowed to."""
    if not user.is_active or not user.is_authenticated:
        return NOTHING
    kept, place = _kept_on(user, "_codes_by_place"), (organization_id, project_id, scope_of(user))
    if place not in kept:
        codes = _unnarrowed(user, organization_id, project_id)
        scope = scope_of(user)
        kept[place] = codes if scope is None else scope.reduce(codes, organization_id, project_id)
    return kept[place]


def codes_on(user: Any, target: Any) -> frozenset[str]:
    """All codes that the person has on the object; of the platform's own tier where that is None."""
    return codes_for(user, organization_id_of(target), project_id_of(target))


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


def forget(user: Any) -> None:
    """Drops what is kept on this user object, for a service that goes on with it after a change of its rights."""
    for name in ("_rights_by_organization", "_codes_by_place"):
        _kept_on(user, name).clear()


def _unnarrowed(user: Any, organization_id: uuid.UUID | None, project_id: uuid.UUID | None) -> frozenset[str]:
    if user.is_superuser:
        return ALL_CODES
    codes = rights_in(user, organization_id).codes(project_id) if organization_id is not None else NOTHING
    return codes | CODES_BY_ROLE["portal_support"] if user.is_staff else codes


def _kept_on(user: Any, name: str) -> dict[Any, Any]:
    kept = getattr(user, name, None)
    if kept is None:
        kept = {}
        setattr(user, name, kept)
    return kept
