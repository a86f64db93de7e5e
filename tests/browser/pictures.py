"""Pictures of the portal for the README."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.watch import SCREENSHOTS, WatchedPage

LARGEST_PICTURE = 200 * 1024  # bytes
README = Path(__file__).resolve().parent.parent.parent / "docs" / "screenshots"


def keep(watched: WatchedPage, name: str) -> None:
    """What fits on the screen, below `.run/screenshots/readme/`; for the README itself where that is wished for."""
    (SCREENSHOTS / "readme").mkdir(parents=True, exist_ok=True)
    path = watched.shoot(f"readme/{name}", whole=False)
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        assert path.stat().st_size <= LARGEST_PICTURE, f"{name}.png has {path.stat().st_size} bytes."
        README.mkdir(exist_ok=True)
        shutil.copyfile(path, README / path.name)


def take_pictures(watched: WatchedPage, deployment: str, environment: str) -> None:
    """The README's pictures, on a wide screen."""
    page = watched.page
    watched.open(deployment)
    expect(page.locator("main").get_by_role("button", name="Open Odoo")).to_be_visible()
    keep(watched, "deployment")
    watched.open("/o/northwind/")
    expect(page.get_by_role("link", name=environment)).to_be_visible()
    keep(watched, "home")
    watched.open("/o/northwind/servers/web-1/")
    expect(page.locator("#capacity")).to_contain_text(environment)
    keep(watched, "server")
    watched.open(deployment.partition("deployments/")[0])
    expect(page.get_by_role("button", name="Open Odoo")).to_be_visible()
    keep(watched, "environment")
    watched.open(deployment)
