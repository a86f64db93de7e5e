"""Every page and button of servers: who may, who may not, who does not even see it, and what a second press does."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.operations.models import Operation
from apps.servers.models import Server
from tests.cast import Cast
from tests.servers.pages import HOST_KEY, address, settings_of

pytestmark = pytest.mark.django_db
# name, method, the permission it asks.
VIEWS = [
    ("list", "get", "org.servers.list"),
    ("add", "get", "org.servers.create"),
    ("add", "post", "org.servers.create"),
    ("detail", "get", "org.servers.list"),
    ("settings", "get", "org.servers.update"),
    ("settings", "post", "org.servers.update"),
    ("host_key", "get", "org.servers.update"),
    ("host_key_confirm", "post", "org.servers.update"),
    ("test", "post", "org.servers.update"),
    ("prepare", "post", "org.servers.update"),
    ("sync", "post", "org.servers.update"),
    ("remove", "post", "org.servers.delete"),
    ("give_up", "post", "org.servers.delete"),
]
OF_ONE_SERVER = [view for view in VIEWS if view[0] not in ("list", "add")]
BY_POST_ALONE = ["host_key_confirm", "test", "prepare", "sync", "remove", "give_up"]


@pytest.mark.parametrize(("name", "method", "code"), VIEWS)
def test_a_stranger_finds_nothing(name, method, code, server, cast: Cast, sign_in) -> None:
    assert getattr(sign_in(cast.charlie), method)(address(name)).status_code == 404


@pytest.mark.parametrize(("name", "method", "code"), VIEWS)
def test_nobody_is_sent_to_sign_in(name, method, code, server, client: Client) -> None:
    answer = getattr(client, method)(address(name))
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")


@pytest.mark.parametrize(("name", "method", "code"), [view for view in VIEWS if view[2] != "org.servers.list"])
@pytest.mark.parametrize("who", ["vera", "bob"])
def test_viewers_and_developers_may_only_look(who, name, method, code, server, cast: Cast, sign_in) -> None:
    assert getattr(sign_in(getattr(cast, who)), method)(address(name)).status_code == 403
    assert Server.objects.count() == 1
    assert not Operation.objects.exists()


@pytest.mark.parametrize("name", ["list", "detail"])
def test_a_viewer_looks(name, server, cast: Cast, sign_in) -> None:
    answer = sign_in(cast.vera).get(address(name))
    assert answer.status_code == 200
    assert "Web" in answer.text
    assert "Add a server" not in answer.text
    assert "Prepare again" not in answer.text


@pytest.mark.parametrize(("name", "method", "code"), OF_ONE_SERVER)
def test_a_server_of_another_organization_is_not_found_by_our_address(
    name, method, code, make_server, cast: Cast, sign_in
) -> None:
    make_server(organization=cast.umbrella, slug="theirs")
    assert getattr(sign_in(cast.alice), method)(address(name, server="theirs")).status_code == 404


@pytest.mark.parametrize("name", BY_POST_ALONE)
def test_a_link_changes_nothing(name, server, cast: Cast, sign_in) -> None:
    assert sign_in(cast.alice).get(address(name)).status_code == 405


def test_the_list_searches_filters_and_sorts(make_server, cast: Cast, sign_in) -> None:
    make_server(name="Alpha", slug="alpha", address="192.0.2.10", status="ready")
    make_server(name="Beta", slug="beta", address="db.example.com", status="error", status_reason="The key changed")
    make_server(organization=cast.umbrella, name="Theirs", slug="theirs")
    browser = sign_in(cast.vera)

    def names(query: str) -> list[str]:
        return re.findall(r'servers/(alpha|beta|theirs)/"', browser.get(address("list") + query).text)

    assert names("") == ["alpha", "beta"]
    assert names("?q=example.com") == ["beta"]
    assert names("?q=ALPH") == ["alpha"]
    assert names("?status=error") == ["beta"]
    assert names("?sort=-name") == ["beta", "alpha"]
    assert names("?sort=password&status=nonsense&q=%00") == ["alpha", "beta"]
    assert "Nothing matches" in browser.get(address("list") + "?q=zzz").text


def test_an_empty_list_teaches_the_next_step(cast: Cast, sign_in) -> None:
    answer = sign_in(cast.anna).get(address("list"))
    assert "No server yet" in answer.text
    assert address("add") in answer.text
    assert address("add") not in sign_in(cast.vera).get(address("list")).text


def test_many_servers_cost_no_more_queries_than_one(make_server, cast: Cast, sign_in) -> None:
    browser = sign_in(cast.alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address("list")).status_code == 200
        return len(captured)

    first = make_server()
    queries()  # the session is written once
    with_one = queries()
    for _ in range(12):
        make_server(ssh_key=first.ssh_key)
    assert queries() == with_one


def test_the_page_of_a_new_server_leads_to_the_fingerprint(make_server, cast: Cast, sign_in) -> None:
    make_server(name="Fresh", slug="fresh", address="127.0.0.1", port=9)
    page = sign_in(cast.alice).get(address("detail", server="fresh")).text
    assert address("host_key", server="fresh") in page
    assert address("prepare", server="fresh") not in page


def test_an_unreachable_server_tells_it_in_place_of_the_fingerprint(make_server, cast: Cast, sign_in) -> None:
    make_server(name="Fresh", slug="fresh", address="127.0.0.1", port=9)
    for headers in ({}, {"HX-Request": "true"}):
        answer = sign_in(cast.alice).get(address("host_key", server="fresh"), headers=headers)
        assert answer.status_code == 200
        assert "refuses connections on port 9" in answer.text
        assert ("<html" in answer.text) is (not headers)


def test_the_test_of_the_connection_tells_what_is_wrong_in_place(server, cast: Cast, sign_in) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = sign_in(cast.alice).post(address("test"), headers=headers)
        assert answer.status_code == 200
        assert "refuses connections on port 9" in answer.text


@pytest.mark.parametrize("host_key", ["", "nonsense", "ssh-ed25519 %%%", "a b c"])
def test_nonsense_is_no_host_key(host_key, server, cast: Cast, sign_in) -> None:
    assert sign_in(cast.alice).post(address("host_key_confirm"), {"host_key": host_key}).status_code in (400, 422)
    server.refresh_from_db()
    assert server.host_key == HOST_KEY


def test_preparing_queues_once(server, cast: Cast, sign_in) -> None:
    browser = sign_in(cast.anna)
    assert browser.post(address("prepare")).status_code == 302
    again = browser.post(address("prepare"))
    assert again.status_code == 409
    assert Operation.objects.get().kind == "servers.bootstrap"
    page = browser.get(address("detail")).text
    assert "Install Docker" in page, "the steps are on the page at once"


def test_a_server_without_a_confirmed_host_key_is_not_prepared(make_server, cast: Cast, sign_in) -> None:
    make_server(name="Fresh", slug="fresh")
    answer = sign_in(cast.anna).post(address("prepare", server="fresh"))
    assert answer.status_code == 422
    assert "never confirmed" in answer.text
    assert not Operation.objects.exists()


def test_looking_now_sets_the_truth(server, cast: Cast, sign_in) -> None:
    answer = sign_in(cast.anna).post(address("sync"), follow=True)
    server.refresh_from_db()
    assert server.status == "unreachable"
    assert "refuses connections" in answer.text


def test_settings_are_saved_and_kept_when_wrong(server, cast: Cast, sign_in) -> None:
    browser = sign_in(cast.anna)
    assert browser.post(address("settings"), settings_of(server) | {"name": "Web one"}).status_code == 302
    server.refresh_from_db()
    assert (server.name, server.slug, server.host_key) == ("Web one", "web", HOST_KEY)
    answer = browser.post(address("settings"), settings_of(server) | {"address": "a b", "name": "Typed"})
    assert answer.status_code == 422
    assert 'value="Typed"' in answer.text
    server.refresh_from_db()
    assert server.name == "Web one"


def test_another_address_has_another_host_key(server, cast: Cast, sign_in) -> None:
    sign_in(cast.anna).post(address("settings"), settings_of(server) | {"address": "192.0.2.99"})
    server.refresh_from_db()
    assert (server.address, server.host_key, server.host_key_fingerprint) == ("192.0.2.99", "", "")


def test_removal_wants_the_name(server, cast: Cast, sign_in) -> None:
    browser = sign_in(cast.alice)
    assert browser.post(address("remove"), {"confirm_name": "web"}).status_code == 422
    assert not Operation.objects.exists()
    assert browser.post(address("remove"), {"confirm_name": "Web", "only_forget": "yes"}).status_code == 302
    assert Operation.objects.get().parameters == {"only_forget": True}
    assert browser.post(address("remove"), {"confirm_name": "Web"}).status_code == 409


def test_hostile_names_stay_text(make_server, cast: Cast, sign_in) -> None:
    make_server(name="<script>alert(1)</script>", slug="x", status_reason="<img src=x onerror=y>", status="error")
    for name in ("list", "detail", "settings"):
        page = sign_in(cast.alice).get(address(name, server="x")).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
