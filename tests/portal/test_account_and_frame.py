"""The account page, the theme, time zones, problems as pages, search."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client, RequestFactory

from apps.accounts.models import User
from apps.core.exceptions import Conflict
from apps.portal.middleware import problem_pages
from apps.portal.searching import search_in
from tests.browser.scene import Scene, build_scene
from tests.cast import PASSWORD, Cast

SignIn = Callable[[User], Client]


@pytest.fixture
def scene(db: None) -> Scene:
    return build_scene()


def test_times_are_shown_in_the_persons_zone(scene: Scene, sign_in: SignIn) -> None:
    User.objects.filter(pk=scene.cast.alice.pk).update(time_zone="Asia/Tokyo")
    scene.cast.alice.refresh_from_db()
    assert "JST" in sign_in(scene.cast.alice).get("/o/acme/activity/").content.decode()
    assert "JST" not in sign_in(scene.cast.bob).get("/o/acme/activity/").content.decode()


def test_a_zone_that_does_not_exist_falls_back(client: Client, db: None) -> None:
    client.cookies["time_zone"] = "../../etc/passwd"
    assert client.get("/account/login/").status_code == 200


def test_the_theme_is_stored_and_used(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    answer = client.post("/account/theme/", {"theme": "dark", "next": "/o/acme/settings/"})
    assert answer.headers["Location"] == "/o/acme/settings/"
    assert 'data-theme="dark"' in client.get("/o/acme/settings/").content.decode()
    assert User.objects.get(pk=cast.alice.pk).theme == "dark"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "javascript:alert(1)"])
def test_the_theme_never_leads_elsewhere(client: Client, db: None, target: str) -> None:
    assert client.post("/account/theme/", {"theme": "light", "next": target}).headers["Location"] == "/"


def test_a_theme_that_does_not_exist_is_refused(client: Client, db: None) -> None:
    assert client.post("/account/theme/", {"theme": "pink"}).status_code == 400


def test_a_wrong_time_zone_is_said_beside_the_field(cast: Cast, sign_in: SignIn) -> None:
    data = {"display_name": "Alice", "time_zone": "Mars/Olympus", "theme": "system"}
    answer = sign_in(cast.alice).post("/account/", data)
    assert answer.status_code == 422
    assert 'id="id_time_zone_error"' in answer.content.decode()


def test_a_problem_becomes_a_page_with_the_way_back(rf: RequestFactory) -> None:
    problem = Conflict("orgs.slug_taken", slug="acme")
    request = rf.get("/x/", headers={"referer": "http://testserver/o/acme/"})
    answer = problem_pages(lambda request: None).process_exception(request, problem)
    assert answer.status_code == 409
    assert "The short name acme is taken." in answer.content.decode()
    assert 'href="http://testserver/o/acme/"' in answer.content.decode()
    elsewhere = rf.get("/x/", headers={"referer": "https://evil.example/"})
    assert "evil" not in problem_pages(lambda request: None).process_exception(elsewhere, problem).content.decode()


def test_other_failures_are_left_alone(rf: RequestFactory) -> None:
    assert problem_pages(lambda request: None).process_exception(rf.get("/"), ValueError("x")) is None


def test_only_an_owner_or_admin_renames_the_organization(cast: Cast, sign_in: SignIn) -> None:
    form = {"slug": "acme", "audit_retention_days": 365}
    assert sign_in(cast.vera).post("/o/acme/settings/", form | {"name": "Vera’s"}).status_code == 403
    assert sign_in(cast.anna).post("/o/acme/settings/", form | {"name": "Acme Digital"}).status_code == 302
    cast.acme.refresh_from_db()
    assert cast.acme.name == "Acme Digital"


def test_search_finds_by_every_word_and_only_ones_own(scene: Scene) -> None:
    found = search_in(scene.organization, scene.cast.bob, "northwind PROD")
    assert [hit.title for group in found for hit in group.hits] == ["Northwind ERP · Production"]
    assert search_in(scene.organization, scene.cast.charlie, "northwind") == []
    people = search_in(scene.organization, scene.cast.bob, "vera@")
    assert [(group.title, group.hits[0].title) for group in people] == [("People", "Vera")]


@pytest.mark.parametrize("words", ["%", "\0", "' OR 1=1 --", "a" * 5000, "<script>alert(1)</script>"])
def test_search_takes_anything(scene: Scene, sign_in: SignIn, words: str) -> None:
    answer = sign_in(scene.cast.alice).get("/o/acme/search/", {"q": words})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_the_policy_allows_nothing_inline_on_any_page(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.cast.alice)
    for address in ("/o/acme/", "/account/", "/o/acme/search/", "/o/acme/nothing/"):
        answer = client.get(address)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert " style=" not in answer.content.decode()
        assert " onclick=" not in answer.content.decode()


def test_forgetting_the_password(cast: Cast, client: Client) -> None:
    client.post("/account/password/reset/", {"email": "alice@example.com"})
    assert mail.outbox[0].subject == "Set a new password"
    link = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http"))
    page = client.get(link, follow=True)
    new = PASSWORD + "-new"
    client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert client.login(email="alice@example.com", password=new)
    assert "This link is used up" in client.get(link, follow=True).content.decode()
