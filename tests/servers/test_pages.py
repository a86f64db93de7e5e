"""Every page and button of servers: who may, who may not, who does not even see it, and what a second press does."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.operations.models import Operation
from apps.servers import keys
from apps.servers.models import Server, SSHKey
from tests.cast import Cast

pytestmark = pytest.mark.django_db
HOST_KEY = keys.generate().public_key
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
]
OF_ONE_SERVER = [view for view in VIEWS if view[0] not in ("list", "add")]
BY_POST_ALONE = ["host_key_confirm", "test", "prepare", "sync", "remove"]


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """Acme's server: prepared, and nothing listens at its address."""
    from apps.core import clock

    return make_server(
        name="Web",
        slug="web",
        address="127.0.0.1",
        port=9,
        host_key=HOST_KEY,
        host_key_fingerprint=keys.fingerprint(HOST_KEY),
        status="ready",
        bootstrapped_at=clock.now(),
    )


def address(name: str, organization: str = "acme", server: str = "web") -> str:
    return reverse(f"servers:{name}", args=[organization] if name in ("list", "add") else [organization, server])


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


PLAIN = {
    "name": "Shop",
    "address": "192.0.2.7",
    "port": "2222",
    "user": "root",
    "key_source": "generate",
    "http_port": "80",
    "https_port": "443",
    "network_range": "10.96.0.0/16",
    "cpu_overcommit": "1",
}


def test_adding_with_a_key_made_for_it(cast: Cast, sign_in) -> None:
    browser = sign_in(cast.anna)
    answer = browser.post(address("add"), PLAIN)
    assert answer.status_code == 302
    server = Server.objects.get()
    assert (server.organization, server.slug, server.port, server.status) == (cast.acme, "shop", 2222, "pending")
    assert server.ssh_key.generated
    page = browser.get(answer.url).text
    assert server.ssh_key.public_key in page
    assert "authorized_keys" in page
    assert server.ssh_key.private_key.splitlines()[1] not in page


def test_adding_with_a_pasted_key(cast: Cast, sign_in) -> None:
    pair = keys.generate()
    pasted = PLAIN | {"key_source": "paste", "private_key": pair.private_text.replace("\n", "\r\n")}
    assert sign_in(cast.anna).post(address("add"), pasted).status_code == 302
    server = Server.objects.get()
    assert server.ssh_key.fingerprint == pair.fingerprint
    assert not server.ssh_key.generated
    settings = sign_in(cast.anna).get(address("settings", server="shop")).text
    assert pair.private_text.splitlines()[1] not in settings


def test_adding_with_a_key_of_the_organization(server, cast: Cast, sign_in) -> None:
    chosen = PLAIN | {"key_source": "choose", "ssh_key": str(server.ssh_key.pk)}
    assert sign_in(cast.anna).post(address("add"), chosen).status_code == 302
    assert Server.objects.get(slug="shop").ssh_key == server.ssh_key


def test_the_key_of_another_organization_cannot_be_chosen(make_key, server, cast: Cast, sign_in) -> None:
    theirs = make_key(organization=cast.umbrella, name="theirs")
    answer = sign_in(cast.anna).post(address("add"), PLAIN | {"key_source": "choose", "ssh_key": str(theirs.pk)})
    assert answer.status_code == 422
    assert not Server.objects.filter(slug="shop").exists()
    answer = sign_in(cast.anna).post(address("settings"), settings_of(server) | {"ssh_key": str(theirs.pk)})
    assert answer.status_code == 422
    server.refresh_from_db()
    assert server.ssh_key != theirs


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("name", "", "required"),
        ("name", "a\nb", "printable"),
        ("address", "--upload-pack=x", "host name"),
        ("address", "a b", "host name"),
        ("address", "$(id)", "host name"),
        ("address", "x;y", "host name"),
        ("port", "0", "greater"),
        ("port", "65536", "less"),
        ("port", "ssh", "whole number"),
        ("user", "root;id", "letters"),
        ("user", "-oProxyCommand=x", "letters"),
        ("network_range", "8.8.8.0/24", "private"),
        ("network_range", "10.0.0.0/30", "/24"),
        ("network_range", "ten", "IPv4"),
        ("cpu_overcommit", "0.5", "greater"),
        ("key_source", "steal", "valid choice"),
        ("http_port", "-1", "greater"),
    ],
)
def test_bad_input_is_told_beside_its_field_and_kept(field, value, word, cast: Cast, sign_in) -> None:
    answer = sign_in(cast.anna).post(address("add"), PLAIN | {field: value})
    assert answer.status_code == 422
    assert word in " ".join(answer.context["form"].errors[field])
    if field != "name":
        assert 'value="Shop"' in answer.text
    assert not Server.objects.exists()


@pytest.mark.parametrize(
    ("private_key", "passphrase", "field"),
    [("nonsense", "", "private_key"), ("", "", "private_key"), (HOST_KEY, "", "private_key")],
)
def test_a_bad_key_is_told_beside_its_field(private_key, passphrase, field, cast: Cast, sign_in) -> None:
    data = PLAIN | {"key_source": "paste", "private_key": private_key, "passphrase": passphrase}
    answer = sign_in(cast.anna).post(address("add"), data)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_the_same_server_twice(server, cast: Cast, sign_in) -> None:
    answer = sign_in(cast.anna).post(address("add"), PLAIN | {"address": "127.0.0.1", "port": "9"})
    assert answer.status_code == 422
    assert "Web is this very server already" in answer.text
    assert SSHKey.objects.count() == 1, "no key is left behind"


def test_two_servers_of_one_name_get_two_addresses(cast: Cast, sign_in) -> None:
    browser = sign_in(cast.anna)
    browser.post(address("add"), PLAIN)
    browser.post(address("add"), PLAIN | {"address": "192.0.2.8"})
    browser.post(address("add"), PLAIN | {"address": "192.0.2.9", "name": "new"})
    assert sorted(Server.objects.values_list("slug", flat=True)) == ["new-2", "shop", "shop-2"]


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


def settings_of(server: Server) -> dict[str, str]:
    names = ("name", "address", "port", "user", "http_port", "https_port", "network_range", "cpu_overcommit")
    return {name: str(getattr(server, name)) for name in names} | {
        "ssh_key": str(server.ssh_key_id),
        "public_address": server.public_address,
    }


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
