"""A real Chromium in front of the whole portal. The scene is committed: the portal's threads have connections of their
own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connections
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
Result = TypeVar("Result")


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


def in_thread(function: Callable[[], Result]) -> Result:
    """What the function answers in a thread of its own: Playwright keeps an event loop in the tests' thread, where
    nothing can be announced."""

    def work() -> Result:
        try:
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(work).result()


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    """Something of everything; see scene.py."""
    return in_thread(build_scene)


@pytest.fixture(scope="session")
def portal(django_db_setup: None) -> Iterator[str]:
    """The portal's address."""
    with portal_server() as address:
        yield address


@pytest.fixture
def look(browser: Browser, portal: str, transactional_db: None) -> Iterator[Callable[..., WatchedPage]]:
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
    store[BACKEND_SESSION_KEY] = "apps.accounts.backends.PersonBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return store.session_key
