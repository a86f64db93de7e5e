"""Why a person has a right, in words. Rests on the same grants as the answer itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.core import clock
from apps.orgs import stored_rights
from apps.orgs.models import Organization
from apps.orgs.rights import Grant, Source
from apps.orgs.roles import CODES_BY_ROLE, ORDERED_CODES, ProjectRole, Role


@dataclass(frozen=True)
class Explanation:
    """One right: whether the person has it, and everything that gives or takes it."""

    code: str
    has: bool
    reasons: tuple[str, ...]


def explain(user: Any, organization: Organization, project: Any = None) -> list[Explanation]:
    """Every right that something gives to, or takes from, the person in the organization (on the project), in the
    table's order. Read from the database, not from the cache."""
    rights = stored_rights.load(user.pk, organization.pk)
    project_id = project.pk if project is not None else None
    codes = rights.codes(project_id)
    reasons: dict[str, list[str]] = {}
    for grant in rights.applying(project_id):
        for code in grant.all_codes:
            reasons.setdefault(code, []).append(_words(grant))
    if project_id is not None and not rights.reaches(project_id):
        for code in reasons:
            if code.startswith("project."):
                reasons[code].append("but does not reach the project")
    for role, is_it, words in (
        ("portal_admin", user.is_superuser, "is a portal admin"),
        ("portal_support", user.is_staff, "is platform staff"),
    ):
        if is_it and user.is_active:
            codes |= CODES_BY_ROLE[role]
            for code in CODES_BY_ROLE[role]:
                reasons.setdefault(code, []).append(words)
    if not user.is_active:
        codes = frozenset()
    return [Explanation(code, code in codes, tuple(reasons[code])) for code in ORDERED_CODES if code in reasons]


def _words(grant: Grant) -> str:
    place = " on this project" if grant.project_id else ""
    match grant.source:
        case Source.MEMBERSHIP:
            return f"{Role(grant.name).label} of the organization"
        case Source.PERSON:
            return f"{ProjectRole(grant.name).label} on this project"
        case Source.TEAM:
            return f"{ProjectRole(grant.name).label} on this project by the team {grant.through}"
        case Source.CUSTOM:
            return f"the role {grant.name}{place}"
    until = ""
    if grant.expires_at is not None:
        until = f" for {_left(grant.expires_at)} more"
    return f"{'taken away' if grant.denies else 'given'} as an exception{place}{until}"


def _left(moment: float) -> str:
    minutes = max(1, round((moment - clock.now().timestamp()) / 60))
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"
