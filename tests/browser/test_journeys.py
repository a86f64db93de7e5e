"""Ways through the portal: by keyboard, without JavaScript, from nothing, and with 200 rows of everything."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import expect

from apps.accounts.models import User
from tests.browser.conftest import in_thread
from tests.browser.scene import Scene, add_many
from tests.browser.watch import NARROW, WatchedPage
from tests.cast import PASSWORD

LARGEST_PAGE = 100 * 1024  # bytes of HTML
SLOWEST_ANSWER = 3.0  # seconds, on a machine that does other things


def test_from_sign_up_to_the_first_step(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    watched = look()
    watched.open("/account/signup/")
    page = watched.page
    page.get_by_label("Email").fill("erin@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label(re.compile(r"Password \(again\)")).fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Welcome. Name your organization")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Erin and Friends")
    page.get_by_role("button", name="Create the organization").click()
    expect(page).to_have_url(re.compile(r"/o/erin-and-friends/$"))
    expect(page.locator('.path [aria-current="step"]')).to_contain_text("Add a server")
    page.get_by_role("link", name="Add a server").click()
    expect(page).to_have_url(re.compile(r"/o/erin-and-friends/servers/new/$"))
    watched.assert_no_complaints()


def test_signing_in_and_out_without_javascript(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    page = look(javascript=False).page
    page.goto("/o/acme/")
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    expect(page.get_by_label("Email")).to_have_value("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Acme", level=1)).to_be_visible()
    page.get_by_role("link", name="Search").click()
    page.locator("main").get_by_role("searchbox").fill("northwind")
    page.locator("main").get_by_role("button", name="Search").click()
    expect(page.locator("main")).to_contain_text("Northwind ERP · Production")
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("heading", name="Activity")).to_be_visible()
    page.locator(".rail-end summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_searching_by_keyboard(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice)
    watched.open("/o/acme/")
    page = watched.page
    page.keyboard.press("/")
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()
    expect(page.locator("#search-results")).to_contain_text("Add a server")
    page.keyboard.type("web-2")
    expect(page.locator("#search-results a").first).to_contain_text("web-2")
    watched.shoot("palette-wide-light", whole=False)
    watched.assert_accessible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/o/acme/servers/web-2/$"))
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Search")).to_be_hidden()
    watched.assert_no_complaints()


def test_the_tab_key_reaches_content_first_and_shows_where_it_is(
    scene: Scene, look: Callable[..., WatchedPage]
) -> None:
    watched = look(scene.cast.alice)
    watched.open("/o/acme/p/northwind-erp/production/")
    page = watched.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            """() => {
              const element = document.activeElement;
              if (element === document.body) return ["", "the window itself"];
              const style = getComputedStyle(element);
              return [element.ariaLabel || element.innerText || element.name || "", style.outlineStyle];
            }"""
        )
        assert outline != "none", f"Nothing shows that “{name}” has the focus."
        reached.append(name.strip())
    for action in ("Restart", "Stop", "Settings", "Deployments"):
        assert action in reached, reached


def test_a_disabled_action_says_why_and_does_nothing(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice)
    watched.open("/o/acme/p/northwind-erp/production/")
    button = watched.page.get_by_role("button", name=re.compile("^Start ?: not possible now"))
    assert button.get_attribute("title")
    button.click(force=True)
    expect(watched.page).to_have_url(re.compile("/production/$"))


def test_theme_and_time_zone_stay_with_the_person(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.alice)
    watched.open("/account/")
    page = watched.page
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_label(re.compile("^Name")).fill("Alice Liddell")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#messages")).to_contain_text("Your account is changed.")
    page.locator(".rail-end summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_timeout(500)
    watched.open("/o/acme/activity/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("td time").first).to_have_attribute("title", re.compile("JST"))
    alice = in_thread(lambda: User.objects.get(pk=scene.cast.alice.pk))
    assert (alice.display_name, alice.time_zone, alice.theme) == ("Alice Liddell", "Asia/Tokyo", "dark")


def test_two_hundred_rows_of_everything(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    in_thread(lambda: add_many(scene))
    addresses = (
        "/o/acme/",
        "/o/acme/servers/",
        "/o/acme/activity/",
        "/o/acme/p/contoso/",
        "/o/acme/p/contoso/?stage=development&page=2",
        "/o/acme/p/northwind-erp/production/deployments/",
        "/o/acme/servers/web-2/",
        "/o/acme/search/?q=many",
    )
    for size in (None, NARROW):
        watched = look(scene.cast.alice, **({"size": size} if size else {}))
        for address in addresses:
            watched.open(address)
            begin = time.monotonic()
            response = watched.page.request.get(address)
            seconds, length = time.monotonic() - begin, len(response.body())
            assert seconds < SLOWEST_ANSWER, f"{address} took {seconds:.1f} s"
            assert length < LARGEST_PAGE, f"{address} has {length // 1024} KB"
            watched.assert_fits()
            name = re.sub(r"\W+", "-", address).strip("-")
            watched.shoot(f"many-{name}-{'narrow' if size else 'wide'}-light", whole=False)
        watched.assert_no_complaints()


def test_filtering_a_list_in_place(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    in_thread(lambda: add_many(scene, 60))
    watched = look(scene.cast.alice)
    watched.open("/o/acme/activity/")
    page = watched.page
    expect(page.locator("#operations tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("page=2"))
    page.evaluate("window.isTheSamePage = true")
    page.get_by_label("Search by title").fill("prepare")
    expect(page.locator("#operations tbody tr")).to_have_count(3)
    page.get_by_label("Status").select_option("failed")
    expect(page.locator("#operations tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=prepare&status=failed$"))
    assert page.evaluate("window.isTheSamePage")
    page.get_by_label("Search by title").fill("nothing like it")
    expect(page.locator("#operations")).to_contain_text("Nothing matches")


def test_the_admin_wears_the_same_colours(scene: Scene, look: Callable[..., WatchedPage]) -> None:
    watched = look(scene.cast.sam)
    for name, address in (("admin", "/admin/"), ("admin-operations", "/admin/operations/operation/")):
        watched.open(address)
        watched.shoot(f"{name}-wide-light", whole=False)
    for title in ("Organizations", "Projects", "Servers", "Operations"):
        expect(watched.page.get_by_role("link", name=re.compile(f" {title}$")).first).to_be_attached()
    watched.assert_no_complaints()
