"""Where a person is, and where they can go from there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.notifications.inbox import unread_count
from apps.operations.models import UNFINISHED, Operation
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.orgs.scope import scope_of
from apps.portal.side_lists import SideList, account_list, settings_list

SESSION_KEY = "organization"
THEME_COOKIE = "theme"
# A person of an agency is in some; whoever is in hundreds does not look for one in a menu.
MOST_IN_MENU = 20
# Title, icon, address below the organization, and what its pages' addresses begin with.
SECTIONS = (
    ("Home", "house", "portal:organization", ()),
    ("Projects", "boxes", "projects/", ("projects/", "p/")),
    ("Servers", "server", "servers/", ("servers/",)),
    ("Activity", "activity", "activity/", ("activity/", "operations/")),
    ("Settings", "settings", "settings/", ("settings/",)),
)


@dataclass(frozen=True)
class Item:
    """One link of the rail."""

    title: str
    icon: str
    url: str
    is_current: bool


@dataclass
class Navigation:
    """What the frame of every page shows. Nothing is asked of the database before a template wants it."""

    request: HttpRequest

    @cached_property
    def user(self) -> User | AnonymousUser:
        """The person; nobody where a request was refused before one asked who it is."""
        return getattr(self.request, "user", None) or AnonymousUser()

    @cached_property
    def organizations(self) -> list[Organization]:
        """The first of the person's organizations by name, as the menu shows them."""
        return self._first[:MOST_IN_MENU]

    @property
    def has_more_organizations(self) -> bool:
        """The menu does not show all of them; the account's page does."""
        return len(self._first) > MOST_IN_MENU

    @cached_property
    def _first(self) -> list[Organization]:
        return list(self._mine[: MOST_IN_MENU + 1]) if self.user.is_authenticated else []

    @property
    def _mine(self) -> TenantQuerySet:
        mine = Organization.objects.filter(memberships__user=self.user)
        return mine if scope_of(self.user) is None else mine.visible_to(self.user)

    @cached_property
    def organization(self) -> Organization | None:
        """The one that the address names, or else the one that the person was in last."""
        if not self.user.is_authenticated:
            return None
        match = self.request.resolver_match
        named = match.kwargs.get("organization") if match else None
        if named:
            return self._named(named)
        last = self.request.session.get(SESSION_KEY)
        chosen = next((one for one in self._first if one.slug == last), None)
        if chosen is None and last and self.has_more_organizations:
            chosen = self._mine.filter(slug=last).first()
        return chosen or next(iter(self._first), None)

    def _named(self, slug: str) -> Organization | None:
        found = next((one for one in self._first if one.slug == slug), None)
        if found is None:  # one of very many, or one that platform staff look into
            found = Organization.objects.visible_to(self.user).filter(slug=slug).first()
        if found and self.request.session.get(SESSION_KEY) != slug:
            self.request.session[SESSION_KEY] = slug
        return found

    @property
    def home(self) -> str:
        return self.organization.get_absolute_url() if self.organization else "/"

    @cached_property
    def items(self) -> list[Item]:
        """The rail's links, the current one marked."""
        below = self.request.path.removeprefix(self.home)
        items = []
        for title, icon, address, beginnings in SECTIONS:
            is_home = address == "portal:organization"
            is_current = (self.request.path == self.home) if is_home else below.startswith(beginnings)
            url = self.home if is_home else self.home + address
            items.append(Item(title, icon, url, is_current and self.request.path.startswith(self.home)))
        return items

    @cached_property
    def settings_list(self) -> SideList | None:
        """The list beside the pages of the organization's settings."""
        if self.organization is None:
            return None
        return settings_list(self.organization, self.user, self.request.path)

    @cached_property
    def account_list(self) -> SideList:
        """The list beside the pages of the person's account."""
        return account_list(self.request.path)

    @cached_property
    def running_count(self) -> int:
        """How many operations of the organization are not over."""
        if self.organization is None:
            return 0
        return Operation.objects.filter(organization=self.organization, status__in=UNFINISHED).count()

    @cached_property
    def unread_count(self) -> int:
        """How many notices the person has not read."""
        return unread_count(self.user) if self.user.is_authenticated else 0

    @property
    def search_url(self) -> str:
        return reverse("portal:search", args=[self.organization.slug])

    @property
    def running_url(self) -> str:
        return reverse("portal:running", args=[self.organization.slug])

    @property
    def activity_url(self) -> str:
        return reverse("portal:activity", args=[self.organization.slug])

    @cached_property
    def theme(self) -> str:
        """`light`, `dark`, or empty for the system's."""
        chosen = self.user.theme if self.user.is_authenticated else self.request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in (User.Theme.LIGHT, User.Theme.DARK) else ""

    @property
    def time_zone(self) -> str:
        """The name of the zone in which this page shows times."""
        return timezone.get_current_timezone_name()
