"""Search over what a person may see in an organization: environments, projects, servers, people, actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.environments.models import Environment
from apps.orgs.access import has_permission
from apps.orgs.models import Membership, Organization
from apps.portal.addresses import environment_address, project_address, server_address
from apps.projects.models import Project
from apps.servers.models import Server

LIMIT = 6  # of each kind in the palette
PAGE_LIMIT = 50  # of each kind on the page


@dataclass(frozen=True)
class Hit:
    """One thing that was found."""

    title: str
    note: str
    url: str
    status: str = ""


@dataclass(frozen=True)
class Group:
    """The hits of one kind."""

    title: str
    icon: str
    hits: list[Hit]


def search_in(organization: Organization, user: Any, words: str, limit: int = LIMIT) -> list[Group]:
    """What matches all of the words, by kind, empty kinds left out; without words only the actions."""
    parts = words.split()[:5]
    groups = [Group("Actions", "zap", _actions(organization, user, parts))]
    if parts:
        groups[:0] = [
            Group("Environments", "box", _environments(organization, user, parts, limit)),
            Group("Projects", "boxes", _projects(organization, user, parts, limit)),
            Group("Servers", "server", _servers(organization, user, parts, limit)),
            Group("People", "users", _people(organization, user, parts, limit)),
        ]
    return [group for group in groups if group.hits]


def _matching(parts: list[str], *lookups: str) -> Q:
    """Each word somewhere in one of the fields."""
    condition = Q()
    for part in parts:
        one = Q()
        for lookup in lookups:
            one |= Q(**{f"{lookup}__icontains": part})
        condition &= one
    return condition


def _environments(organization: Organization, user: Any, parts: list[str], limit: int) -> list[Hit]:
    found = (
        Environment.objects.visible_to(user)
        .existing()
        .filter(_matching(parts, "name", "slug", "host_name", "project__name"), project__organization=organization)
        .without_secrets()
        .select_related("project__organization")
        .order_by("project__name", "name")[:limit]
    )
    return [
        Hit(f"{one.project.name} · {one.name}", one.host_name, environment_address(one), one.status) for one in found
    ]


def _projects(organization: Organization, user: Any, parts: list[str], limit: int) -> list[Hit]:
    found = (
        Project.objects.visible_to(user)
        .filter(_matching(parts, "name", "slug", "odoo_version"), organization=organization)
        .select_related("organization")[:limit]
    )
    return [Hit(one.name, f"Odoo {one.odoo_version}", project_address(one)) for one in found]


def _servers(organization: Organization, user: Any, parts: list[str], limit: int) -> list[Hit]:
    found = (
        Server.objects.visible_to(user)
        .filter(_matching(parts, "name", "slug", "address"), organization=organization)
        .select_related("organization")[:limit]
    )
    return [Hit(one.name, one.address, server_address(one), one.status) for one in found]


def _people(organization: Organization, user: Any, parts: list[str], limit: int) -> list[Hit]:
    if not has_permission(user, "org.members.list", organization):
        return []
    found = (
        Membership.objects.filter(_matching(parts, "user__email", "user__display_name"), organization=organization)
        .select_related("user")
        .order_by("user__email")[:limit]
    )
    url = f"{organization.get_absolute_url()}settings/#members"
    return [Hit(str(one.user), f"{one.user.email}, {one.get_role_display()}", url) for one in found]


def _actions(organization: Organization, user: Any, parts: list[str]) -> list[Hit]:
    home = organization.get_absolute_url()
    actions = (
        ("Add a server", "", f"{home}servers/new/", "org.servers.create"),
        ("Create a project", "", f"{home}projects/new/", "org.projects.create"),
        ("Look at the activity", "Running and past operations", f"{home}activity/", "org.view"),
        ("Change my account", "Name, time zone, theme, password", "/account/", "org.view"),
    )
    return [
        Hit(title, note, url)
        for title, note, url, code in actions
        if has_permission(user, code, organization) and all(part.lower() in f"{title} {note}".lower() for part in parts)
    ]
