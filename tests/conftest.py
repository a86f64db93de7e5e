"""What all tests share: the cast, a signed-in client, and the lab (started only by the tests that ask for it)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import settings as hypothesis_settings

from apps.accounts.models import User
from tests.cast import Cast, make_cast, rehearse_cast
from tests.database.beginning import remember_beginning

# How long an example takes says more about the machine's other work than about ours.
hypothesis_settings.register_profile("oecsh", deadline=None)
hypothesis_settings.load_profile("oecsh")

# The lab's fixtures start nothing by being imported.
pytest_plugins = ["tests.lab.fixtures"] if importlib.util.find_spec("tests.lab.fixtures") else []


DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Who needs tables is marked by what it asks for, so that nobody has to remember it."""
    if item.get_closest_marker("django_db") or DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.database)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast tests first, the lab's next, the browser's last: Playwright keeps an event loop running in the tests'
    thread until the run ends, in which no asynchronous test can start its own."""
    items.sort(key=_cost)


def _cost(item: pytest.Item) -> int:
    if item.get_closest_marker("browser"):
        return 2
    return 1 if item.get_closest_marker("lab") else 0


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The tests' database as the migrations left it, which is how it is found after each test that commits."""
    with django_db_blocker.unblock():
        remember_beginning()
        rehearse_cast()


@pytest.fixture
def cast(db: None) -> Cast:
    """Alice, Bob and the others; see tests/cast.py."""
    return make_cast()


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """A browser in which the person is signed in: `sign_in(cast.bob).get("/")`."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="apps.accounts.backends.PersonBackend")
        return client

    return signed_in
