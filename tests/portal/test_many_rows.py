"""With two hundred of everything, no page asks the database more often than with a few, or grows beyond 100 KB."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.orgs.grants import copy_memberships
from apps.orgs.models import Membership, Organization
from apps.orgs.roles import Role
from tests.browser.scene import Scene, build_scene
from tests.cast import Cast
from tests.crowd import add_crowd
from tests.routes import GET, TABLE
from tests.test_every_route import LEADS_ON, REACHES_OUT, address_of

pytestmark = pytest.mark.django_db
LARGEST = 100 * 1024
# They lead on, are files, or are the log's own limit of lines.
NO_PAGES = {
    "portal:home",
    "operations:download",
    "operations:lines",
    "accounts:avatar",
    "accounts:second_factor",
    "notifications:notice_open",
    "portal:audit_export",
}
PAGES = sorted({name for name, method, _ in TABLE if method == GET} - NO_PAGES - LEADS_ON - REACHES_OUT)


@pytest.fixture
def scene() -> Scene:
    return build_scene()


def answers(client: Client, addresses: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Queries and bytes by name. Asked twice: the first question fills what is remembered of rights."""
    found = {}
    for name, address in addresses.items():
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        assert answer.status_code == 200, name
        found[name] = len(queries), len(answer.content)
    return found


def test_no_page_grows(scene: Scene, sign_in) -> None:
    client, addresses = sign_in(scene.cast.alice), {name: address_of(name, scene) for name in PAGES}
    few = answers(client, addresses)
    add_crowd(scene)
    many = answers(client, addresses)
    asked_more = {name: (few[name][0], many[name][0]) for name in PAGES if many[name][0] > few[name][0]}
    assert not asked_more
    too_large = {name: size for name, (_, size) in many.items() if size > LARGEST}
    assert not too_large


def test_somebody_in_hundreds_of_organizations(cast: Cast, sign_in) -> None:
    rows = [Organization(name=f"Company {n:03}", slug=f"company-{n:03}") for n in range(200)]
    made = Organization.objects.bulk_create(rows)
    copy_memberships(
        Membership.objects.bulk_create(Membership(organization=one, user=cast.bob, role=Role.OWNER) for one in made)
    )
    client = sign_in(cast.bob)
    last = client.get("/o/company-199/").content.decode()
    assert "Company 199" in last
    assert "Company 030" not in last
    assert "All organizations" in last
    # The account's page belongs to no organization: it shows the one that the person was in last.
    account = client.get("/account/?page=2").content.decode()
    assert 'href="/o/company-199/settings/"' in account
    assert "of 201 organizations" in account
    assert len(account) < LARGEST
