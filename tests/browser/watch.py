"""A page that is being looked at: what goes wrong in it is collected, and asked for at the end."""

from __future__ import annotations

import json
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page
from playwright.sync_api import Error as PlaywrightError

SCREENSHOTS = Path(__file__).resolve().parent.parent.parent / ".run" / "screenshots"
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
SERIOUS = ("serious", "critical")
# Chromium gives up its requests whenever an interface of the machine comes or goes, as the lab's do.
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"


class WatchedPage:
    """A Playwright page with our questions to it."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.is_interrupted = False
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if NETWORK_CHANGED in message.text:
            self.is_interrupted = True
        elif message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def open(self, address: str, *, expect: int = 200) -> None:
        """Opens an address, and waits until its first requests are over."""
        for _ in range(5):
            self.is_interrupted = False
            try:
                response = self.page.goto(address, wait_until="load")
            except PlaywrightError as error:
                if NETWORK_CHANGED not in str(error):
                    raise
                continue
            if not self.is_interrupted:
                break
        assert response is not None, address
        assert response.status == expect, f"{address} answered {response.status}"
        self.page.evaluate("document.fonts.ready.then(() => true)")

        self._wait_for_log()

    def change_theme(self, theme: str) -> None:
        """`light` or `dark`. Lines of a log that are out of sight keep their colours until they are laid out again,
        which axe does not know: such a page is opened anew."""
        self.page.emulate_media(color_scheme=theme)
        if self.page.locator("[data-log]").count():
            self.page.reload()
            self._wait_for_log()

    def _wait_for_log(self) -> None:
        if self.page.locator("[data-log][data-operation]").count():
            self.page.locator(".log-lines .line").first.wait_for(state="attached")

    def assert_no_complaints(self, *, but: str = "") -> None:
        """Nothing in the console: no error, no violation of the policy."""
        left = [text for text in self.complaints if not but or but not in text]
        assert not left, "\n".join(left)

    def assert_fits(self) -> None:
        """Nothing makes the page scroll sideways."""
        wide = self.page.evaluate(
            """() => {
              const limit = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= limit) return [];
              return [...document.querySelectorAll("body *")]
                .filter((element) => element.getBoundingClientRect().right > limit + 1)
                .slice(0, 5)
                .map((element) => element.outerHTML.slice(0, 160));
            }"""
        )
        assert not wide, "Wider than the screen:\n" + "\n".join(wide)

    def assert_accessible(self) -> None:
        """axe finds nothing serious."""
        result = Axe().run(self.page)
        found = [violation for violation in result.response["violations"] if violation["impact"] in SERIOUS]
        texts = [f"{violation['id']}: {violation['help']}\n{_places(violation)}" for violation in found]
        assert not texts, "\n".join(texts)

    def shoot(self, name: str, *, whole: bool = True) -> Path:
        """Keeps a picture under `.run/screenshots/`."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=whole, animations="disabled")
        return path


def _places(violation: dict) -> str:
    return "\n".join(
        f"    {json.dumps(node['target'])} {node['html'][:200]}\n    {node.get('failureSummary', '')}"
        for node in violation["nodes"][:4]
    )
