"""A running operation, looked at: rows change and lines appear without reloading, with and without a websocket."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from playwright.sync_api import expect

from apps.operations import services
from apps.operations.models import Operation
from apps.operations.pipeline import Pipeline, RunContext, Step, register
from apps.operations.runner import run_operation
from tests.browser.conftest import in_thread
from tests.browser.scene import Scene, add_lines
from tests.browser.watch import NARROW, WatchedPage

STEPS = 16
GATE = threading.Semaphore(0)  # one permit lets one step of the toy go on
PATIENCE = 20_000  # milliseconds


def _wait_at_the_gate(context: RunContext) -> None:
    context.run.info("This step has begun.")
    while not GATE.acquire(timeout=0.05):
        context.run.check()
    context.run.warning("This step ends.")


SLOW = register(
    Pipeline(
        kind="browser.slow",
        title="Sixteen slow steps",
        steps=tuple(Step(f"part_{number}", f"Part {number}", _wait_at_the_gate) for number in range(1, STEPS + 1)),
    )
)


@pytest.fixture
def running(scene: Scene) -> Iterator[Operation]:
    """An operation whose steps go on when GATE is released, worked on in a thread as a worker would."""
    operation = in_thread(
        lambda: services.queue(
            kind=SLOW.kind, subject=scene.organization, organization=scene.organization, lock_key="browser:slow"
        )
    )

    def work() -> None:
        try:
            run_operation(operation.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield operation
    GATE.release(STEPS)
    thread.join(timeout=30)
    while GATE.acquire(blocking=False):
        pass


def test_rows_turn_green_and_lines_appear_without_reloading(
    scene: Scene, running: Operation, look: Callable[..., WatchedPage]
) -> None:
    watched = look(scene.cast.alice)
    watched.open(f"/operations/{running.pk}/")
    page = watched.page
    page.evaluate("window.isTheSamePage = true")
    expect(page.locator("#step-part_1")).to_have_attribute("data-status", "running", timeout=PATIENCE)
    for number in range(1, 4):
        GATE.release()
        expect(page.locator(f"#step-part_{number}")).to_have_attribute("data-status", "completed", timeout=PATIENCE)
        expect(page.locator(f"#step-part_{number + 1}")).to_have_attribute("data-status", "running", timeout=PATIENCE)
    expect(page.locator(".log-lines .line")).to_have_count(7, timeout=PATIENCE)
    expect(page).to_have_title(re.compile(r"^18 % "))
    GATE.release(STEPS - 3)
    expect(page.locator('.step[data-status="completed"]')).to_have_count(STEPS, timeout=PATIENCE)
    expect(page.locator(".log-lines .line")).to_have_count(2 * STEPS, timeout=PATIENCE)
    expect(page).to_have_title(re.compile("^✓ "))
    expect(page.locator(".operation-summary .badge")).to_have_text("completed")
    assert page.evaluate("window.isTheSamePage")
    numbers = page.locator(".log-lines .line > a").all_inner_texts()
    assert numbers == [str(number) for number in range(1, 2 * STEPS + 1)]
    watched.assert_no_complaints()


def test_it_works_without_websockets(scene: Scene, running: Operation, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice, size=NARROW)
    watched.page.add_init_script("window.WebSocket = class { constructor() { setTimeout(() => this.onclose({})); } };")
    watched.open(f"/operations/{running.pk}/")
    GATE.release(2)
    expect(watched.page.locator("#step-part_2")).to_have_attribute("data-status", "completed", timeout=PATIENCE)
    expect(watched.page.locator(".log-lines .line")).to_have_count(5, timeout=PATIENCE)


def test_it_heals_after_a_lost_connection(scene: Scene, running: Operation, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice)
    watched.open(f"/operations/{running.pk}/")
    page = watched.page
    expect(page.locator(".log-lines .line")).to_have_count(1, timeout=PATIENCE)
    page.context.set_offline(True)
    expect(page.locator("#connection-lost")).to_be_visible()
    GATE.release(3)
    page.context.set_offline(False)
    expect(page.locator("#step-part_3")).to_have_attribute("data-status", "completed", timeout=PATIENCE)
    expect(page.locator(".log-lines .line")).to_have_count(7, timeout=PATIENCE)
    expect(page.locator("#connection-lost")).to_be_hidden()


def test_cancelling_from_the_page(scene: Scene, running: Operation, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice)
    watched.open(f"/operations/{running.pk}/")
    expect(watched.page.locator("#step-part_1")).to_have_attribute("data-status", "running", timeout=PATIENCE)
    watched.page.get_by_role("button", name="Cancel").click()
    expect(watched.page.locator(".operation-summary .badge")).to_have_text("cancelled", timeout=PATIENCE)


def test_the_drawer_shows_progress_on_every_page(
    scene: Scene, running: Operation, look: Callable[..., WatchedPage]
) -> None:
    watched = look(scene.cast.alice)
    watched.open("/o/acme/settings/")
    watched.page.get_by_role("link", name="Operations").click()
    row = watched.page.locator(f"#running-{running.pk}")
    expect(row).to_contain_text("Sixteen slow steps")
    GATE.release(4)
    expect(row).to_contain_text("25 %", timeout=PATIENCE)
    watched.shoot("drawer-wide-light", whole=False)
    watched.assert_accessible()
    watched.page.keyboard.press("Escape")
    expect(watched.page.locator("#operations-drawer")).to_be_hidden()


def test_twenty_thousand_lines_stay_fast(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    operation = scene.operations["running"]
    in_thread(lambda: add_lines(operation, list(operation.steps.all()), 20_000, operation.started_at))
    watched = look(scene.cast.alice)
    watched.open(f"/operations/{operation.pk}/")
    page = watched.page
    last = page.locator(f"#L{operation.log_sequence}")
    expect(last).to_be_in_viewport(timeout=PATIENCE)  # a running operation is followed
    page.locator('[data-log] [name="level"]').select_option("INFO")
    expect(page.locator("[data-line-count]")).to_contain_text(re.compile(r"1[5-9],\d{3} matching"), timeout=PATIENCE)
    typical = page.evaluate(
        """async () => {
          const pane = document.querySelector(".log-lines");
          const times = [];
          for (let part = 20; part >= 0; part -= 1) {
            const begin = performance.now();
            pane.scrollTop = (pane.scrollHeight * part) / 20;
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
            times.push(performance.now() - begin);
          }
          return times.sort((one, other) => one - other)[times.length / 2 | 0];
        }"""
    )
    assert typical < 500, f"Scrolling takes {typical:.0f} ms for one picture."
    page.locator('[data-log] [name="q"]').fill("module 19999 of")
    expect(page.locator("[data-line-count]")).to_have_text(re.compile("^[01] matching"), timeout=PATIENCE)


def test_a_line_has_an_address(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    operation = scene.operations["completed"]
    watched = look(scene.cast.alice)
    watched.open(f"/operations/{operation.pk}/#L120")
    expect(watched.page.locator("#L120")).to_be_in_viewport(timeout=PATIENCE)
    expect(watched.page.locator("#L120")).to_have_class(re.compile("is-target"))
    watched.page.locator("#L121 > a").click()
    assert watched.page.url.endswith("#L121")


def test_a_step_leads_to_its_lines(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice)
    watched.open(f"/operations/{scene.operations['completed'].pk}/")
    watched.page.get_by_role("link", name="Pull the image").click()
    expect(watched.page.locator('.line-step[data-step="pull_image"]')).to_be_in_viewport()


def test_a_failed_operation_opens_at_the_failed_step(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice)
    watched.open(f"/operations/{scene.operations['failed'].pk}/")
    page = watched.page
    expect(page.locator('.line-step[data-step="install_addons"]')).to_be_in_viewport(timeout=PATIENCE)
    expect(page.locator(".failure")).to_contain_text("SyntaxError")
    page.get_by_role("button", name="Copy a report").click()
    report = page.locator("[data-report]").get_attribute("data-copy")
    assert "failed     Install the project’s modules" in report
    assert "SyntaxError: expected ':'" in report
