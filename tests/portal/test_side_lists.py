"""The lists beside an organization's settings and a person's account: what opens for the person, and where one is."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.cast import Cast

pytestmark = pytest.mark.django_db
_LINK = re.compile(r'<a class="side-link" href="([^"]+)"( aria-current="page")?>([^<]+)</a>')


def links(client: Client, person, path: str) -> list[tuple[str, str, bool]]:
    """Address, label, current: of the list beside the page. The same stands in the line that opens on a phone."""
    client.force_login(person, backend="apps.accounts.backends.PersonBackend")
    page = client.get(path).content.decode()
    found = [(url, label, bool(current)) for url, current, label in _LINK.findall(page)]
    assert found[: len(found) // 2] == found[len(found) // 2 :]
    return found[: len(found) // 2]


@pytest.mark.parametrize(
    ("below", "label"),
    [
        ("", "General"),
        ("delete/", "General"),
        ("members/", "Members"),
        ("ownership/", "Members"),
        ("quotas/ask/", "Quotas and usage"),
        ("roles/new/", "Roles"),
        ("git/", "Git credentials"),
        ("keys/", "API keys"),
        ("webhooks/new/", "Webhooks"),
        ("audit/", "Audit trail"),
    ],
)
def test_one_link_says_where_one_is(client: Client, cast: Cast, below: str, label: str) -> None:
    found = links(client, cast.alice, f"/o/acme/settings/{below}")
    assert len(found) == 12
    assert [name for _, name, is_current in found if is_current] == [label]


@pytest.mark.parametrize("name", ["alice", "anna", "bob", "vera"])
def test_every_link_opens(client: Client, cast: Cast, name: str) -> None:
    person = getattr(cast, name)
    for url, label, _ in links(client, person, "/o/acme/settings/"):
        assert client.get(url).status_code == 200, label


def test_what_does_not_open_is_left_out(client: Client, cast: Cast) -> None:
    labels = [label for _, label, _ in links(client, cast.vera, "/o/acme/settings/")]
    assert "Members" in labels
    assert not {"Invitations", "API keys", "Webhooks"} & set(labels)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/account/", "Profile"),
        ("/account/email/", "E-mail addresses"),
        ("/account/password/change/", "Security"),
        ("/account/3rdparty/", "Security"),
        ("/account/sessions/", "Sessions"),
        ("/account/data/", "Your data"),
    ],
)
def test_the_account_has_one_too(client: Client, cast: Cast, path: str, label: str) -> None:
    found = links(client, cast.bob, path)
    assert len(found) == 6
    assert [name for _, name, is_current in found if is_current] == [label]
