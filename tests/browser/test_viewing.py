"""A member of staff looks through a person's eyes, in a browser: the banner, nothing to be sent, and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.orgs.models import ViewAs
from tests.browser.conftest import in_thread
from tests.browser.scene import Scene
from tests.browser.watch import NARROW, WIDE, WatchedPage


@pytest.mark.parametrize(("width", "size"), [("wide", WIDE), ("narrow", NARROW)])
def test_looking_through_a_persons_eyes(scene: Scene, look: Callable[..., WatchedPage], width: str, size: dict) -> None:
    watched = look(scene.cast.sam, size=size)
    page = watched.page
    page.goto("/admin/orgs/viewas/add/")
    page.get_by_label("E-mail of the person").fill(scene.cast.vera.email)
    page.get_by_label("Reason").fill("She says that a server is missing")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/o/acme/")
    watched.complaints.clear()  # The admin's theme complains where a page is left before its scripts are there.
    banner = page.get_by_text("You view the portal as Vera.")
    banner.wait_for()
    for address in ("/o/acme/projects/", "/o/acme/servers/", "/o/acme/settings/"):
        watched.open(address)
        banner.wait_for()
        watched.assert_fits()
    for theme in ("light", "dark"):
        watched.change_theme(theme)
        watched.shoot(f"viewing-as-{width}-{theme}")
        watched.assert_accessible()
    watched.assert_no_complaints()
    watched.open("/account/", expect=403)
    watched.shoot(f"viewing-as-refused-{width}-light")
    page.get_by_role("button", name="Stop viewing").last.click()
    page.wait_for_url("**/admin/orgs/viewas/")
    assert in_thread(lambda: ViewAs.objects.get().ended_at) is not None
