"""Programs with keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from apps.api import keys
from apps.api.models import ApiKey
from tests.cast import make_cast

PREFIX = "/api/public/v1"


class Program:
    """Somebody's program: requests with a key, answers as JSON."""

    def __init__(self, key: ApiKey | None, text: str) -> None:
        self.key, self.text = key, text
        self._client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer. A body that is a text or bytes is sent as it is."""
        content = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
        sent = {"Authorization": f"Bearer {self.text}"} | headers
        return self._client.generic(method, f"{PREFIX}{path}", content, content_type="application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("DELETE", path, **headers)


def make_program(organization: Any, person: Any, kind: str = "rw", **details: Any) -> Program:
    """A program with a new key of the person's."""
    return Program(*keys.create_key(organization=organization, name="Test", kind=kind, actor=person, **details))


@pytest.fixture
def program() -> Callable[..., Program]:
    return make_program


@pytest.fixture
def alice(cast: Any) -> Program:
    """The Owner's program, which may write."""
    return make_program(cast.acme, cast.alice)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """One of everything in Acme for a whole file; every test is rolled back."""
    from tests.api.world import make_world

    with django_db_blocker.unblock():
        cast = make_cast()
        made = make_world(cast, cast.acme, cast.alice)
        made.cast = cast
        yield made
        call_command("flush", verbosity=0, interactive=False)
