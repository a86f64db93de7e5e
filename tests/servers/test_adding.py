"""Adding a server by its form: the key in three ways, and every wrong field told beside it."""

from __future__ import annotations

import pytest

from apps.servers import keys
from apps.servers.models import Server, SSHKey
from tests.cast import Cast
from tests.servers.pages import ADD, HOST_KEY, address, settings_of

pytestmark = pytest.mark.django_db


def test_adding_with_a_key_made_for_it(cast: Cast, sign_in) -> None:
    browser = sign_in(cast.anna)
    answer = browser.post(address("add"), ADD)
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
    pasted = ADD | {"key_source": "paste", "private_key": pair.private_text.replace("\n", "\r\n")}
    assert sign_in(cast.anna).post(address("add"), pasted).status_code == 302
    server = Server.objects.get()
    assert server.ssh_key.fingerprint == pair.fingerprint
    assert not server.ssh_key.generated
    settings = sign_in(cast.anna).get(address("settings", server="shop")).text
    assert pair.private_text.splitlines()[1] not in settings


def test_adding_with_a_key_of_the_organization(server, cast: Cast, sign_in) -> None:
    chosen = ADD | {"key_source": "choose", "ssh_key": str(server.ssh_key.pk)}
    assert sign_in(cast.anna).post(address("add"), chosen).status_code == 302
    assert Server.objects.get(slug="shop").ssh_key == server.ssh_key


def test_the_key_of_another_organization_cannot_be_chosen(make_key, server, cast: Cast, sign_in) -> None:
    theirs = make_key(organization=cast.umbrella, name="theirs")
    answer = sign_in(cast.anna).post(address("add"), ADD | {"key_source": "choose", "ssh_key": str(theirs.pk)})
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
    answer = sign_in(cast.anna).post(address("add"), ADD | {field: value})
    assert answer.status_code == 422
    assert word in " ".join(answer.context["form"].errors[field])
    if field != "name":
        assert 'value="Shop"' in answer.text
    assert not Server.objects.exists()


@pytest.mark.parametrize(
    ("private_key", "passphrase", "field"),
    [("nonsense", "", "private_key"), ("", "", "private_key"), (HOST_KEY, "", "private_key")],
    ids=["nonsense", "none", "public"],
)
def test_a_bad_key_is_told_beside_its_field(private_key, passphrase, field, cast: Cast, sign_in) -> None:
    data = ADD | {"key_source": "paste", "private_key": private_key, "passphrase": passphrase}
    answer = sign_in(cast.anna).post(address("add"), data)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_the_same_server_twice(server, cast: Cast, sign_in) -> None:
    answer = sign_in(cast.anna).post(address("add"), ADD | {"address": "127.0.0.1", "port": "9"})
    assert answer.status_code == 422
    assert "Web is this very server already" in answer.text
    assert SSHKey.objects.count() == 1, "no key is left behind"


def test_two_servers_of_one_name_get_two_addresses(cast: Cast, sign_in) -> None:
    browser = sign_in(cast.anna)
    browser.post(address("add"), ADD)
    browser.post(address("add"), ADD | {"address": "192.0.2.8"})
    browser.post(address("add"), ADD | {"address": "192.0.2.9", "name": "new"})
    assert sorted(Server.objects.values_list("slug", flat=True)) == ["new-2", "shop", "shop-2"]
