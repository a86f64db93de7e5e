"""What narrows a person's rights for a while: an API key, or somebody else looking through the person's eyes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_ATTRIBUTE = "access_scope"
_READING = (".view", ".list")
# All that is left of an organization's own tier where the scope is one project: its name, and where an environment
# could be placed. Lists of people, events or backups would tell about the other projects.
_AROUND_A_PROJECT = frozenset({"org.view", "org.projects.list", "org.servers.list"})


@dataclass(frozen=True)
class Scope:
    """Only these organizations (None: all that the person is in), only this project (None: all), only reading.

    A scope takes away and never gives: what the person may not do themselves stays forbidden."""

    organization_ids: frozenset[uuid.UUID] | None = None
    project_id: uuid.UUID | None = None
    read_only: bool = False

    def admits(self, organization_id: uuid.UUID | None, project_id: uuid.UUID | None) -> bool:
        """Whether an object of this organization and project (None: of the organization itself, or of the platform)
        lies within."""
        if self.organization_ids is not None and organization_id not in self.organization_ids:
            return False
        return self.project_id is None or project_id in (None, self.project_id)

    def reduce(
        self, codes: Iterable[str], organization_id: uuid.UUID | None, project_id: uuid.UUID | None
    ) -> frozenset[str]:
        """The codes that are left on an object of this organization and project."""
        if not self.admits(organization_id, project_id):
            return frozenset()
        left = frozenset(codes)
        if self.project_id is not None:
            inside = frozenset(code for code in left if project_id is not None and code.startswith("project."))
            left = inside | (left & _AROUND_A_PROJECT)
        if self.read_only:
            left = frozenset(code for code in left if code.endswith(_READING))
        return left

    def within(self, other: Scope) -> Scope:
        """What both allow. Two different projects leave nothing."""
        organizations = self.organization_ids
        if organizations is None or other.organization_ids is None:
            organizations = other.organization_ids if organizations is None else organizations
        else:
            organizations = organizations & other.organization_ids
        if None not in (self.project_id, other.project_id) and self.project_id != other.project_id:
            organizations = frozenset()
        return Scope(
            organization_ids=organizations,
            project_id=self.project_id or other.project_id,
            read_only=self.read_only or other.read_only,
        )


def narrow(user: Any, scope: Scope) -> Any:
    """Narrows what this one user object may see and do (`visible_to`, `has_perm`); the same person loaded elsewhere
    is not touched. A second scope is joined with the first: nothing ever widens. Returns the user object."""
    before = scope_of(user)
    setattr(user, _ATTRIBUTE, scope if before is None else scope.within(before))
    return user


def scope_of(user: Any) -> Scope | None:
    """The scope that the user object was narrowed to; None for somebody who acts with all their rights."""
    return getattr(user, _ATTRIBUTE, None)
