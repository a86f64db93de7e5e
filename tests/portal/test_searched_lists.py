"""Lists that grow long are searched: teams, API keys, the environments of a project."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from apps.environments.capacity import Resource
from apps.orgs.teams import create_team
from tests.browser.scene import Scene, build_scene
from tests.cast import Cast
from tests.crowd import MANY, add_crowd

pytestmark = pytest.mark.django_db


def test_teams_by_name_and_description(cast: Cast, sign_in) -> None:
    create_team(organization=cast.acme, name="Night shift", description="Awake at three", actor=cast.alice)
    client: Client = sign_in(cast.vera)
    for words in ("NIGHT", "awake", "night\0"):
        found = client.get("/o/acme/settings/teams/", {"q": words}).context["page"]
        assert [team.name for team in found] == ["Night shift"], words
    assert "Nothing matches" in client.get("/o/acme/settings/teams/", {"q": "day"}).content.decode()
    assert sign_in(cast.charlie).get("/o/acme/settings/teams/", {"q": "night"}).status_code == 404


@pytest.fixture
def crowd() -> Scene:
    scene = build_scene()
    add_crowd(scene)
    return scene


def test_long_lists(crowd: Scene, sign_in) -> None:
    client: Client = sign_in(crowd.cast.alice)
    keys = client.get("/o/acme/settings/keys/", {"q": "key 059"})
    assert [key.name for key in keys.context["page"]] == ["Key 059"]
    assert "Nothing matches" in client.get("/o/acme/settings/keys/", {"q": "none"}).content.decode()
    project = f"/o/acme/p/{crowd.projects[0].slug}/"
    cards = [one.name for _, _, page in client.get(project, {"q": "many-111"}).context["columns"] for one in page]
    assert cards == ["Environment 111"]
    cards = [one for _, _, page in client.get(project, {"status": "stopped"}).context["columns"] for one in page]
    assert cards == []
    stage = client.get(project, {"stage": "staging", "q": "environment"}).context["columns"][0][2]
    assert stage.paginator.count == MANY // 3 + 1


def test_a_full_server_shows_its_largest_and_has_pages(crowd: Scene, sign_in) -> None:
    client, url = sign_in(crowd.cast.vera), "/o/acme/servers/web-1/capacity/"
    page = client.get(url).content.decode()
    assert "More is promised than there is" in page
    assert "of 8 cores" in page
    assert "others" in page
    assert "?page=2" in page
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "?page=" not in part
    assert f'href="{url}"' in part


@pytest.mark.parametrize(
    ("unit", "total", "allocated", "text", "free"),
    [
        ("cores", 8, 3, "3 of 8 cores", "5 cores"),
        ("MB", 16384, 6144, "6 GB of 16 GB", "10 GB"),
        ("", 10, 12, "12 of 10", "0"),
    ],
)
def test_amounts_have_units(unit: str, total: int, allocated: int, text: str, free: str) -> None:
    resource = Resource("something", unit, Decimal(total), Decimal(allocated))
    assert (resource.text, resource.free_text) == (text, free)
    assert resource.is_exceeded == (allocated > total)
