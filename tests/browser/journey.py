"""What a new user does, with what it costs: clicks, fields and seconds of every step of the quick start."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.watch import NETWORK_CHANGED


@dataclass
class Cost:
    """Of one step: how often something was pressed, how many fields were filled in, how long it took altogether."""

    title: str
    clicks: int = 0
    fields: int = 0
    seconds: float = 0.0


class Journey:
    """Presses and types as a person would, and counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.costs: list[Cost] = []
        self.is_interrupted = False
        page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        if request.is_navigation_request() and NETWORK_CHANGED in (request.failure or ""):
            self.is_interrupted = True

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Everything inside belongs to one step of the report."""
        self.costs.append(Cost(title))
        begin = time.monotonic()
        try:
            yield
        finally:
            self.costs[-1].seconds = time.monotonic() - begin

    def press(self, name: str, *, role: str = "button", within: Locator | None = None) -> None:
        """Presses the button (or link) of that name, as it is shown."""
        self.click((within or self.page.locator("main")).get_by_role(role, name=name, exact=True))

    def click(self, target: Locator) -> None:
        """Presses, and loads the page again where the machine's own network got in the way."""
        self.is_interrupted = False
        target.click()
        self.costs[-1].clicks += 1
        if self.is_interrupted:
            self.page.reload()

    def fill(self, label: str, text: str) -> None:
        """Types into the field of that label."""
        self.page.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*(optional)?\s*$")).fill(text)
        self.costs[-1].fields += 1

    def report(self) -> str:
        """A table with a row for each step, and the sum."""
        total = Cost(
            "Altogether",
            sum(cost.clicks for cost in self.costs),
            sum(cost.fields for cost in self.costs),
            sum(cost.seconds for cost in self.costs),
        )
        rows = [
            f"{cost.title:<44} {cost.clicks:>6} {cost.fields:>6} {cost.seconds:>8.1f}" for cost in (*self.costs, total)
        ]
        return "\n".join([f"{'Quick start':<44} {'clicks':>6} {'fields':>6} {'seconds':>8}", *rows])


def web_client_is_there(odoo: Page) -> bool:
    """Odoo's web client came up. It may not when a network interface of the machine came or went meanwhile: Chromium
    then asks again for what it was asking, and a link that works once is used up."""
    try:
        expect(odoo.locator(".o_main_navbar")).to_be_visible(timeout=60_000)
    except AssertionError:
        return False
    return True
