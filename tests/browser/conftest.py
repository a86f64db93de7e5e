"""A real Chromium in front of the whole portal. The scene is built once for each module of tests, and committed: the
portal's threads have connections of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management import call_command
from playwright.sync_api import Browser, sync_playwright

from apps.accounts.models import User
from oecsh.embedded.browser import ensure_chromium
from oecsh.embedded.frontend import build_frontend
from tests.browser.scene import Scene, build_scene
from tests.browser.server import portal_server
from tests.browser.watch import WIDE, WatchedPage

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DEFAULT_TIMEOUT = 10_000  # milliseconds


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    program = ensure_chromium()
    build_frontend(quiet=True)
    # Playwright keeps an event loop in this thread, which Django's database guard takes for an async caller.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
            yield chromium
            chromium.close()
    finally:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
        if before is not None:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="module")
def committed_database(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """The tests' database without a transaction around it; emptied after the module."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="module")
def scene(committed_database: None) -> Scene:
    """Something of everything; see scene.py."""
    return build_scene()


@pytest.fixture(scope="module")
def portal(committed_database: None) -> Iterator[str]:
    """The portal's address."""
    with portal_server() as address:
        yield address


@pytest.fixture
def look(browser: Browser, portal: str) -> Iterator[Callable[..., WatchedPage]]:
    """`look(user, size=NARROW, dark=True)`: a page in a fresh browser window, the person signed in."""
    with ExitStack() as stack:

        def look_as(
            user: User | None = None, *, size: dict[str, int] = WIDE, dark: bool = False, javascript: bool = True
        ) -> WatchedPage:
            context = browser.new_context(
                base_url=portal,
                viewport=size,
                color_scheme="dark" if dark else "light",
                java_script_enabled=javascript,
                reduced_motion="reduce",
                is_mobile=size["width"] < 500,
                has_touch=size["width"] < 500,
            )
            stack.callback(context.close)
            context.set_default_timeout(DEFAULT_TIMEOUT)
            if user is not None:
                context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": portal}])
            return WatchedPage(context)

        yield look_as


def session_of(user: User) -> str:
    """The key of a new session in which the person is signed in."""
    from django.contrib.sessions.backends.cached_db import SessionStore

    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return store.session_key
