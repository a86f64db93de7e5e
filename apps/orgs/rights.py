"""What a person was given in one organization, and which codes follow from it.

The same list of grants answers "may they?" and "why?", so that the two cannot disagree.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from apps.core import clock
from apps.orgs.roles import (
    CODES_BY_MEMBERSHIP,
    CODES_BY_PROJECT_ROLE,
    SEES_ALL_PROJECTS,
    ProjectRole,
    Role,
)

NOTHING: frozenset[str] = frozenset()
_RANK = {role: rank for rank, role in enumerate(ProjectRole.values)}


class Source:
    """Where a grant comes from: the membership, a role of one's own on a project, a team's role on a project, a role
    that the organization made, an exception."""

    MEMBERSHIP, PERSON, TEAM, CUSTOM, OVERRIDE = "membership", "person", "team", "custom", "override"


@dataclass(frozen=True)
class Grant:
    """One thing that was given (or, `denies`, taken away), everywhere in the organization or on one project."""

    source: str
    name: str
    """The role; a custom role's name; an override's code."""
    project_id: str = ""
    """Empty: everywhere in the organization."""
    through: str = ""
    """The team's name."""
    codes: tuple[str, ...] = ()
    """Of a custom role and an override; those of other roles stand in the table."""
    denies: bool = False
    expires_at: float | None = None
    """Seconds since 1970; None: never."""

    @cached_property
    def all_codes(self) -> frozenset[str]:
        """The codes that it gives or takes."""
        if self.source == Source.MEMBERSHIP:
            return CODES_BY_MEMBERSHIP[Role(self.name)]
        if self.source in (Source.PERSON, Source.TEAM):
            return CODES_BY_PROJECT_ROLE[ProjectRole(self.name)]
        return frozenset(self.codes)

    def counts_at(self, moment: float) -> bool:
        """Whether it has not expired by then (seconds since 1970)."""
        return self.expires_at is None or self.expires_at > moment


class Rights:
    """All grants of one person in one organization. Somebody who is no member has none."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self.grants = tuple(grants)

    @cached_property
    def role(self) -> str:
        """The role as a member; empty for somebody who is none."""
        return next((grant.name for grant in self.grants if grant.source == Source.MEMBERSHIP), "")

    def codes(self, project_id: uuid.UUID | None = None) -> frozenset[str]:
        """The codes on one project, or on the organization as a whole. On a project that the person does not reach
        none of the project's tier are left."""
        if not self.role:
            return NOTHING
        given: set[str] = set()
        denied: set[str] = set()
        for grant in self.applying(project_id):
            (denied if grant.denies else given).update(grant.all_codes)
        if project_id is not None and not self.reaches(project_id):
            given = {code for code in given if not code.startswith("project.")}
        return frozenset(given - denied)

    def applying(self, project_id: uuid.UUID | None) -> Iterator[Grant]:
        """The grants that count on the project (None: on the organization as a whole): of the roles on a project only
        the highest, nothing that expired, nothing that is taken from an Owner."""
        project, now = str(project_id or ""), clock.now().timestamp()
        highest = self.project_role(project) if project else None
        for grant in self.grants:
            if grant.project_id not in ("", project) or not grant.counts_at(now):
                continue
            if grant.denies and self.role == Role.OWNER:
                continue
            if grant.source in (Source.PERSON, Source.TEAM) and grant.name != highest:
                continue
            yield grant

    def taken_on_projects(self) -> frozenset[str]:
        """The codes that an exception takes on some single project at this moment; none are taken from an Owner."""
        if self.role == Role.OWNER:
            return NOTHING
        now = clock.now().timestamp()
        taken = [one.all_codes for one in self.grants if one.denies and one.project_id and one.counts_at(now)]
        return NOTHING.union(*taken)

    def project_role(self, project_id: uuid.UUID | str) -> str | None:
        """The highest role on the project, the person's own and the teams' together; None without any."""
        roles = [
            grant.name
            for grant in self.grants
            if grant.source in (Source.PERSON, Source.TEAM) and grant.project_id == str(project_id)
        ]
        return min(roles, key=_RANK.__getitem__, default=None)

    def reaches(self, project_id: uuid.UUID | None) -> bool:
        """Whether the project (None: every one) exists for the person at all; the same rule as `visible_to`'s."""
        applying = list(self.applying(project_id))
        if any(grant.denies and "project.view" in grant.all_codes for grant in applying):
            return False
        if project_id is None and "project.view" in self.taken_on_projects():
            return False
        return self.role in SEES_ALL_PROJECTS or any(
            "project.view" in grant.all_codes for grant in applying if grant.source != Source.MEMBERSHIP
        )

    def seconds_to_expiry(self) -> float | None:
        """Until the first of the grants expires; None when none does."""
        times = [grant.expires_at for grant in self.grants if grant.expires_at is not None]
        return min(times) - clock.now().timestamp() if times else None

    def as_data(self) -> list[list[Any]]:
        """As lists, for the cache."""
        return [
            [grant.source, grant.name, grant.project_id, grant.through, grant.codes, grant.denies, grant.expires_at]
            for grant in self.grants
        ]

    @classmethod
    def from_data(cls, data: list[list[Any]]) -> Rights:
        """The opposite of as_data. Raises TypeError or ValueError for what it did not write."""
        return cls(
            Grant(source, name, project_id, through, tuple(codes), denies, expires_at)
            for source, name, project_id, through, codes, denies, expires_at in data
        )
