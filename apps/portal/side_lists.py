"""The lists beside pages that belong together: an organization's settings, a person's account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.orgs.access import codes_on
from apps.orgs.models import Organization

# Group by group: label, route, and the permission without which the page does not open ("" for none).
_SETTINGS = (
    ("Organization", (
        ("General", "portal:organization_settings", ""),
        ("Quotas and usage", "portal:quotas", "org.quotas.view"),
    )),
    ("People", (
        ("Members", "orgs:members", "org.members.list"),
        ("Invitations", "portal:invitations", "org.members.manage"),
        ("Teams", "portal:teams", "org.teams.list"),
        ("Roles", "portal:roles", "org.roles.view"),
    )),
    ("Security", (
        ("Audit trail", "portal:audit", "org.audit.view"),
        ("Support access", "portal:support", "org.audit.view"),
    )),
    ("Integrations", (
        ("Git credentials", "projects:credentials", "org.git.list"),
        ("Registry accounts", "projects:registries", "org.git.list"),
        ("API keys", "keys:list", "org.api_keys.manage"),
        ("Webhooks", "notifications:webhooks", "org.webhooks.manage"),
    )),
)  # fmt: skip
# Pages whose addresses do not begin with that of the link they belong to.
_BESIDES = {"orgs:members": ("portal:organization_ownership",)}
# Label, route, and the other addresses whose pages belong to it.
_ACCOUNT = (
    ("Profile", "portal:account", ()),
    ("E-mail addresses", "account_email", ()),
    ("Security", "accounts:security", ("/account/password/", "/account/2fa/", "/account/3rdparty/")),
    ("Sessions", "accounts:sessions", ()),
    ("Notifications", "notifications:preferences", ()),
    ("Your data", "personal:data", ()),
)


@dataclass(frozen=True)
class Link:
    """One page of the list."""

    label: str
    url: str
    beginnings: tuple[str, ...] = ()

    def weight(self, path: str) -> int:
        """How much of the address of a page is this link's: 0 where the page belongs to another."""
        return max(len(one) if path.startswith(one) else 0 for one in (self.url, *self.beginnings))


@dataclass(frozen=True)
class SideList:
    """Groups of links (`title` empty where there is one group only), and the link that the page belongs to."""

    name: str
    groups: tuple[tuple[str, tuple[Link, ...]], ...]
    current: Link


def settings_list(organization: Organization, user: Any, path: str) -> SideList:
    """The settings' pages that open for the person."""
    codes = codes_on(user, organization)
    groups = (
        (title, tuple(_settings_link(organization, label, route) for label, route, code in links
                      if not code or code in codes))
        for title, links in _SETTINGS
    )  # fmt: skip
    return _side_list("Settings", ((title, links) for title, links in groups if links), path)


def _settings_link(organization: Organization, label: str, route: str) -> Link:
    more = [reverse(other, args=[organization.slug]) for other in _BESIDES.get(route, ())]
    return Link(label, reverse(route, args=[organization.slug]), tuple(more))


def account_list(path: str) -> SideList:
    """The pages of the person's own account."""
    return _side_list(
        "Account", [("", tuple(Link(label, reverse(route), more) for label, route, more in _ACCOUNT))], path
    )


def _side_list(name: str, groups: Iterable[tuple[str, tuple[Link, ...]]], path: str) -> SideList:
    groups = tuple(groups)
    links = [link for _, those in groups for link in those]
    return SideList(name, groups, max(links, key=lambda link: link.weight(path)))
