"""Sees what happens in a page of an operation while nobody touches it, as a person who watches would."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.watch import WatchedPage

_WATCH = """() => {
  const seen = (window.seen = { progress: [], elapsed: [], lines: [], steps: {} });
  const note = (list, value) => { if (value && list.at(-1) !== value) list.push(value); };
  const text = (selector) => document.querySelector(selector)?.textContent.trim();
  const look = () => {
    note(seen.progress, text(".operation-summary > .number"));
    note(seen.elapsed, text('.operation-summary [title="Elapsed"]'));
    note(seen.lines, document.querySelectorAll(".log-lines .line").length);
    for (const { dataset } of document.querySelectorAll(".step")) {
      note((seen.steps[dataset.step] ??= []), dataset.status);
    }
  };
  const options = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.body, { ...options, attributeFilter: ["data-status"] });
  look();
}"""
_NO_SOCKETS = """
  window.WebSocket = class {
    constructor() { this.readyState = 3; setTimeout(() => this.onclose?.({})); }
    close() {}
  };
"""
GOOD = '.step[data-status="completed"], .step[data-status="skipped"]'


def without_websockets(watched: WatchedPage) -> None:
    """Every websocket of the page is closed before it is open, as behind a proxy that knows none."""
    watched.page.add_init_script(_NO_SOCKETS)


class Witness:
    """Begins to watch at once. Loading the page again would end it, which is how it knows that nobody did."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.evaluate(_WATCH)

    def wait_for_the_end(self, steps: int | None, *, seconds: float) -> None:
        """Every row is green (or grey: not needed), and the summary says so; `steps` is how many rows there are."""
        summary = self.page.locator(".operation-summary .badge")
        expect(summary).to_have_text("completed", timeout=seconds * 1000)
        rows = self.page.locator(".step")
        if steps is not None:
            expect(rows).to_have_count(steps)
        expect(self.page.locator(GOOD)).to_have_count(rows.count())

    def assert_it_was_live(self, *, rows: int) -> dict[str, Any]:
        """The same page saw progress, elapsed time and lines grow, and at least so many rows change their status."""
        seen = self.page.evaluate("window.seen ?? null")
        assert seen is not None, "The page was loaded again."
        percents = [int(text.removesuffix("%").strip()) for text in seen["progress"]]
        assert len(percents) > 2, percents
        assert all(one < other for one, other in pairwise(percents)), percents
        assert len(seen["elapsed"]) > 2, seen["elapsed"]
        assert len(seen["lines"]) > 2, seen["lines"]
        assert all(one < other for one, other in pairwise(seen["lines"])), seen["lines"]
        moved = [name for name, statuses in seen["steps"].items() if len(statuses) > 1]
        assert len(moved) >= rows, seen["steps"]
        return seen
