"""Lists with two hundred rows, on a wide and a narrow screen, light and dark: nothing sideways, nothing that axe calls
serious."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import in_thread
from tests.browser.pages import NORTHWIND
from tests.browser.scene import Scene
from tests.browser.watch import NARROW, WIDE, WatchedPage
from tests.crowd import add_crowd

PAGES = {
    "home": "/o/acme/",
    "projects": "/o/acme/projects/",
    "stages": NORTHWIND,
    "deployments": f"{NORTHWIND}production/deployments/?page=3",
    "servers": "/o/acme/servers/?page=2",
    "server": "/o/acme/servers/web-1/",
    "capacity": "/o/acme/servers/web-1/capacity/",
    "activity": "/o/acme/activity/",
    "search": "/o/acme/search/?q=environment",
    "members": "/o/acme/settings/members/?sort=-email",
    "teams": "/o/acme/settings/teams/",
    "quotas": "/o/acme/settings/quotas/",
    "audit": "/o/acme/settings/audit/?page=2",
    "keys": "/o/acme/settings/keys/",
    "inbox": "/inbox/",
}


@pytest.fixture
def crowd(scene: Scene) -> Scene:
    in_thread(lambda: add_crowd(scene))
    return scene


def test_long_lists_are_sound(crowd: Scene, look: Callable[..., WatchedPage]) -> None:
    for width, size in (("wide", WIDE), ("narrow", NARROW)):
        watched = look(crowd.cast.alice, size=size)
        for name, address in PAGES.items():
            watched.open(address)
            watched.assert_fits()
            for theme in ("light", "dark"):
                watched.change_theme(theme)
                watched.shoot(f"many-{name}-{width}-{theme}", whole=False)
                watched.assert_accessible()
        watched.assert_no_complaints()


def test_the_list_beside_the_pages_opens_without_a_script(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    page = look(scene.cast.alice, size=NARROW, javascript=False)
    page.open("/o/acme/settings/members/")
    settings = page.page.get_by_role("navigation", name="Settings")
    assert not settings.get_by_role("link", name="Webhooks").is_visible()
    settings.locator("summary").click()
    assert settings.get_by_role("link", name="Members").get_attribute("aria-current") == "page"
    settings.get_by_role("link", name="Webhooks").click()
    page.page.wait_for_url("**/settings/webhooks/")
