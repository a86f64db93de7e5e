"""The quick start as a new user does it: from signing up to a signed-in Odoo, in a real browser, with a real web
process, worker and beat, a server that is reached over SSH, Git, DNS and a certificate authority.

Its pictures are the README's: `UPDATE_SCREENSHOTS=1` puts them into docs/screenshots/.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.api import keys
from apps.domains.base_domains import default_base_domain
from apps.domains.issuing import issue_wildcard
from apps.domains.models import DnsProvider
from apps.operations.models import Operation
from apps.orgs.models import Organization
from apps.orgs.roles import Role
from oecsh.embedded.browser import ensure_chromium
from oecsh.embedded.processes import wait_until
from tests.browser.conftest import ARGUMENTS, in_thread
from tests.browser.control_plane import control_plane, what_they_wrote
from tests.browser.journey import Journey, web_client_is_there
from tests.browser.pictures import keep, take_pictures
from tests.browser.watch import NARROW, SCREENSHOTS, WIDE, WatchedPage
from tests.browser.witness import Witness, without_websockets
from tests.cast import PASSWORD
from tests.lab.acme import AcmeServer
from tests.lab.dns import DnsServer
from tests.lab.git import GitRepository, GitServer
from tests.lab.lab import Lab
from tests.lab.server import LabServer

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

BASE_DOMAIN = "apps.example.test"
ENVIRONMENT = "shop-development-1"  # the name that is proposed
PATIENCE = 60_000  # milliseconds
PREPARING, DEPLOYING, OPENING = 180, 420, 180  # seconds


@dataclass
class Place:
    """Where the journey takes place."""

    portal: str
    machine: LabServer
    repository: GitRepository
    browser: Browser

    def window(self, *, size: dict[str, int] = WIDE, dark: bool = False, state: Any = None) -> BrowserContext:
        """A browser window; `state` is where another one is signed in."""
        is_phone = size["width"] < 500
        context = self.browser.new_context(
            base_url=self.portal,
            viewport=size,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            is_mobile=is_phone,
            has_touch=is_phone,
            ignore_https_errors=True,
            storage_state=state,
        )
        context.set_default_timeout(PATIENCE)
        return context


@pytest.fixture
def machine(lab: Lab, served_images: str) -> LabServer:
    """A server that nobody else uses: empty, with Docker and the images within reach."""
    return lab.server("web-1")


@pytest.fixture
def portal(
    transactional_db: None, settings: Any, tmp_path: Path, dns_server: DnsServer, acme_server: AcmeServer
) -> Iterator[str]:
    """The running platform, after its staff has done their part: a base domain with its certificate."""
    values = {
        "BASE_DOMAIN": BASE_DOMAIN,
        "ACME_DIRECTORY_URL": acme_server.directory_url,
        "ACME_CA_FILE": str(acme_server.https_root),
    }
    for name, value in values.items():
        setattr(settings, name, value)
    dns_server.add_zone(BASE_DOMAIN, [])
    resolver = f"{dns_server.address}:{dns_server.port}"
    with control_plane(tmp_path, DNS_SERVERS=resolver, **values) as address:
        order = in_thread(lambda: _order_certificate(dns_server))
        wait_until(
            lambda: in_thread(lambda: Operation.objects.get(pk=order.pk).is_finished), what="The order", patience=120
        )
        assert in_thread(lambda: Operation.objects.get(pk=order.pk).status) == "completed", what_they_wrote(tmp_path)
        yield address
    dns_server.remove_zone(BASE_DOMAIN)


def _order_certificate(dns_server: DnsServer) -> Operation:
    provider = DnsProvider.objects.create(
        organization=None,
        name="Lab",
        kind="rfc2136",
        settings={
            "server": dns_server.address,
            "port": dns_server.port,
            "key_name": dns_server.key_name,
            "key_algorithm": dns_server.key_algorithm,
            "zone": BASE_DOMAIN,
        },
        credentials=json.dumps({"key_secret": dns_server.key_secret}),
    )
    base_domain = default_base_domain()
    base_domain.dns_provider = provider
    base_domain.save()
    return issue_wildcard(base_domain)


@pytest.fixture
def place(browser: Browser, portal: str, machine: LabServer, git_server: GitServer) -> Iterator[Place]:
    """The platform, a server, a repository with a module, and a browser to which names lead to the server."""
    rules = f"--host-resolver-rules=MAP *.{BASE_DOMAIN} {machine.address}"
    chromium = browser.browser_type.launch(executable_path=ensure_chromium(), headless=True, args=[*ARGUMENTS, rules])
    repository = git_server.create("northwind-addons", branch="19.0")
    yield Place(portal, machine, repository, chromium)
    chromium.close()
    repository.remove()


def test_quick_start(place: Place) -> None:
    window = place.window()
    watched = WatchedPage(window)
    journey = Journey(watched.page)
    sockets: list[str] = []
    watched.page.on("websocket", lambda socket: sockets.append(socket.url))
    try:
        sign_up(journey, watched)
        add_server(journey, place)
        prepare_server(journey)
        make_project(journey, place)
        deployment = deploy(journey)
        assert sockets, "Nothing was announced."
        take_pictures(watched, deployment, ENVIRONMENT)
        open_odoo(journey, place, deployment)
        redeploy_without_websockets(place, deployment, window.storage_state())
        redeploy_by_the_client(place)
        watched.assert_no_complaints()
    except Exception:
        watched.shoot("end-to-end-failure", whole=False)
        raise
    finally:
        print(f"\n{journey.report()}")


def sign_up(journey: Journey, watched: WatchedPage) -> None:
    page = journey.page
    with journey.step("Sign up, name the organization"):
        watched.open("/account/signup/")
        journey.fill("Email", "erin@northwind.example")
        journey.fill("Password", PASSWORD)
        journey.fill("Password (again)", PASSWORD)
        journey.press("Create the account", within=page.locator("body"))
        expect(page.get_by_role("heading", name="Name your organization")).to_be_visible()
        journey.fill("Name", "Northwind")
        journey.press("Create the organization")
        expect(page.locator('.path [aria-current="step"]')).to_contain_text("Add a server")


def add_server(journey: Journey, place: Place) -> None:
    page = journey.page
    with journey.step("Add the server, let the platform in"):
        journey.press("Add a server", role="link")
        journey.fill("Name", "web-1")
        journey.fill("Address", place.machine.address)
        journey.press("Add the server")
        command = page.locator("#public-key").inner_text()
        place.machine.authorize(re.search(r"echo '(.+?)' >>", command).group(1))
        expect(page.locator("#host-key")).to_contain_text(place.machine.host_key_fingerprint)
        journey.press("It is the same: confirm")
        expect(page.get_by_role("button", name="Prepare the server")).to_be_visible()


def prepare_server(journey: Journey) -> None:
    page = journey.page
    with journey.step("Test and prepare the server"):
        journey.press("Test the connection")
        expect(page.locator("#connection-test")).to_contain_text("The connection works.")
        expect(page.locator("#connection-test")).to_contain_text("Debian")
        journey.press("Prepare the server")
        expect(page.locator(".step").first).to_be_visible()
        witness = Witness(page)
        witness.wait_for_the_end(None, seconds=PREPARING)
        witness.assert_it_was_live(rows=2)
    page.reload()
    expect(page.locator(".page-title .badge")).to_have_text("ready")


def make_project(journey: Journey, place: Place) -> None:
    page = journey.page
    with journey.step("Make a project from Git"):
        journey.press("Home", role="link", within=page.locator("body"))
        journey.press("Create a project", role="link")
        journey.fill("Name", "Shop")
        expect(page.get_by_label("Odoo version")).to_have_value("19.0")
        journey.fill("Repository", place.repository.url)
        journey.fill("Branch", "19.0")
        journey.press("List the branches")
        expect(page.locator("#branch-list")).to_contain_text("1 branch: 19.0")
        journey.press("Create the project")
        expect(page.get_by_role("heading", name="New environment")).to_be_visible()


def deploy(journey: Journey) -> str:
    """Returns the path of the deployment's page."""
    page = journey.page
    with journey.step("Make an environment, deploy: sixteen steps"):
        expect(page.locator("#outlook")).to_contain_text(f"shop-development.{BASE_DOMAIN}")
        journey.press("Create")
        journey.click(page.locator("#state").get_by_role("link", name=re.compile("^Deploy ")))
        expect(page).to_have_url(re.compile(r"/deployments/1/$"))
        witness = Witness(page)
        witness.wait_for_the_end(16, seconds=DEPLOYING)
        seen = witness.assert_it_was_live(rows=8)
        assert len(seen["steps"]) == 16
        expect(page.locator("main").get_by_role("button", name="Open Odoo")).to_be_visible()
    return page.url


def open_odoo(journey: Journey, place: Place, deployment: str) -> None:
    """Opens it by the link, which then is of no use to anybody else."""
    page = journey.page
    links: list[str] = []
    page.context.on("request", lambda request: links.append(request.url) if BASE_DOMAIN in request.url else None)
    with journey.step("Open Odoo, signed in"):
        for _ in range(OPENING // 60):
            with page.context.expect_page() as opened:
                journey.press("Open Odoo")
            odoo: Page = opened.value
            if web_client_is_there(odoo):
                break
        expect(odoo.locator(".o_main_navbar")).to_be_visible()
        assert odoo.url.startswith(f"https://shop-development.{BASE_DOMAIN}/"), odoo.url
    odoo.screenshot(path=SCREENSHOTS / "odoo.png")
    stranger = place.window()
    page = stranger.new_page()
    page.goto(links[0])
    expect(page.locator(".o_main_navbar")).to_have_count(0)
    stranger.close()


def redeploy_without_websockets(place: Place, deployment: str, state: Any) -> None:
    """On a phone, in the dark, behind a proxy that lets no websocket through: polling shows the same."""
    place.repository.commit({"README.md": "Addons of Northwind"}, "Say what this is", branch="19.0")
    window = place.window(size=NARROW, dark=True, state=state)
    watched = WatchedPage(window)
    without_websockets(watched)
    watched.open(deployment)
    page = watched.page
    page.locator("main").get_by_role("button", name="Redeploy").click()
    expect(page).to_have_url(re.compile(r"/deployments/2/$"))
    witness = Witness(page)
    witness.wait_for_the_end(16, seconds=DEPLOYING)
    witness.assert_it_was_live(rows=2)
    expect(page.locator("#outcome")).to_contain_text("Say what this is")
    expect(page.locator("#environment-head .badge")).to_have_text("running")
    keep(watched, "phone")
    watched.assert_no_complaints()
    window.close()


def redeploy_by_the_client(place: Place) -> None:
    """From a terminal: one command, and the sixteen steps."""

    def make_key() -> str:
        northwind = Organization.objects.get(slug="northwind")
        owner = northwind.memberships.get(role=Role.OWNER).user
        return keys.create_key(organization=northwind, name="Terminal", kind="rw", actor=owner)[1]

    variables = os.environ | {"OEC_URL": place.portal, "OEC_API_KEY": in_thread(make_key)}
    command = [sys.executable, "-m", "oec", "--json", "deploy", f"shop-development.{BASE_DOMAIN}"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=DEPLOYING, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    last = [event for event in events if event["event"] == "task"][-1]
    assert len(last["steps"]) == 16
    assert {step["status"] for step in last["steps"]} <= {"completed", "skipped"}
    assert events[-1] == {"event": "end", "status": "completed"}
