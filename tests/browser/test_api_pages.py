"""Swagger UI and ReDoc: they show every endpoint, and nothing comes from elsewhere or is against the policy."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.api.conftest import make_program
from tests.browser.scene import Scene
from tests.browser.watch import WatchedPage

PREFIX = "/api/public/v1/"
# The policy keeps it out: no request leaves the browser.
LOGO = "cdn.redoc.ly"


@pytest.mark.parametrize(("page", "shows"), [("docs/", "/environments/{environment_id}/deploy"), ("redoc/", "deploy")])
def test_the_description_is_shown_by_our_own_host_alone(browser: Browser, portal: str, page: str, shows: str) -> None:
    context = browser.new_context(base_url=portal)
    tab = context.new_page()
    hosts, complaints = set(), []
    tab.on("requestfinished", lambda request: hosts.add(urlsplit(request.url).netloc))
    tab.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"{PREFIX}{page}")
    if page == "docs/":
        tab.get_by_role("link", name="environments", exact=True).first.click()
    tab.get_by_text(shows).first.wait_for(timeout=30_000)
    tab.screenshot(path=f".run/testing/screenshots-api-{page.strip('/')}.png")
    context.close()
    assert hosts - {"", urlsplit(portal).netloc} == set()
    # ReDoc's own logo, which it takes away itself when it does not load.
    assert [text for text in complaints if LOGO not in text] == []


def test_a_key_is_made_and_shown_once(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    make_program(scene.organization, scene.cast.alice)
    watched = look(scene.cast.alice)
    watched.open("/o/acme/settings/keys/")
    watched.page.get_by_label("Name").fill("CI")
    watched.page.get_by_role("button", name="Make the key").click()
    shown = watched.page.locator(".secret pre").inner_text()
    assert shown.startswith("oec_live_ro_")
    watched.assert_accessible()
    watched.assert_no_complaints()
