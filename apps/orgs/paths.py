"""How a tenant's object is reached from its organization and its project."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from django.db import models


def organization_path_of(model: type[models.Model]) -> str:
    """The lookup from a model to its organization: `organization` unless the model sets `organization_path`; empty for
    the organization itself."""
    return getattr(model, "organization_path", "organization")


@functools.cache
def project_path_of(model: type[models.Model]) -> str | None:
    """The lookup from a model to its project's id; None for what belongs to an organization as a whole. It follows
    from an `organization_path` that leads through a project; else the model sets `project_path`."""
    path = organization_path_of(model)
    inferred = path.removesuffix("__organization") if path.endswith("project__organization") else None
    return getattr(model, "project_path", inferred)


@functools.cache
def is_optional(model: type[models.Model], path: str) -> bool:
    """True where something on the path may be missing: a row of the platform, or one without a project."""
    for name in path.split("__") if path not in ("", "pk") else ():
        field = model._meta.get_field(name)
        if field.null:
            return True
        model = field.related_model
    return False


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
    """The project that an object belongs to; None for what belongs to an organization as a whole."""
    path = project_path_of(type(target)) if target is not None else None
    if path is None:
        return None
    *parts, last = path.split("__")
    for part in parts:
        target = getattr(target, part)
        if target is None:
            return None
    return getattr(target, last if last in ("pk", "project_id") else f"{last}_id")
