"""The admin of servers and keys: secrets go in and never come out, actions call the services."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.operations.models import Operation
from apps.servers import keys, services
from apps.servers.models import Server, SSHKey
from tests.cast import Cast
from tests.servers.pages import HOST_KEY, settings_of

pytestmark = pytest.mark.django_db
PASSPHRASE = "planted-passphrase"


@pytest.fixture
def key(cast: Cast) -> SSHKey:
    pair = keys.generate()
    text = pair.private_text
    key = services.import_key(organization=cast.acme, name="Web", private_key=text, passphrase=PASSPHRASE, actor=None)
    assert key.private_key == text
    return key


def change_page(key: SSHKey) -> str:
    return reverse("admin:servers_sshkey_change", args=[key.pk])


def test_a_stored_key_is_never_shown(key: SSHKey, cast: Cast, sign_in) -> None:
    browser = sign_in(cast.sam)
    for page in (change_page(key), reverse("admin:servers_sshkey_changelist")):
        text = browser.get(page).text
        assert key.fingerprint in text
        assert PASSPHRASE not in text
        assert not any(line in text for line in key.private_key.splitlines()[1:-1])


def test_left_empty_the_key_stays(key: SSHKey, cast: Cast, sign_in) -> None:
    before = key.private_key
    answer = sign_in(cast.sam).post(change_page(key), {"organization": str(cast.acme.pk), "name": "Renamed"})
    assert answer.status_code == 302
    key.refresh_from_db()
    assert (key.name, key.private_key, key.passphrase) == ("Renamed", before, PASSPHRASE)


def test_a_new_key_takes_its_place(key: SSHKey, cast: Cast, sign_in) -> None:
    pair = keys.generate()
    data = {"organization": str(cast.acme.pk), "name": "Web", "new_private_key": pair.private_text}
    assert sign_in(cast.sam).post(change_page(key), data).status_code == 302
    key.refresh_from_db()
    assert (key.fingerprint, key.passphrase) == (pair.fingerprint, "")
    assert sign_in(cast.sam).post(change_page(key), data | {"new_private_key": "nonsense"}).status_code == 200
    key.refresh_from_db()
    assert key.fingerprint == pair.fingerprint


def test_pages_and_actions_of_servers(make_server, cast: Cast, sign_in) -> None:
    server = make_server(address="127.0.0.1", port=9, host_key=keys.generate().public_key, status="ready")
    browser = sign_in(cast.sam)
    listing = reverse("admin:servers_server_changelist")
    assert server.name in browser.get(listing).text
    assert browser.get(reverse("admin:servers_server_change", args=[server.pk])).status_code == 200
    for action in ("look_at_selected", "check_soon", "prepare_selected", "prepare_selected"):
        answer = browser.post(listing, {"action": action, "_selected_action": [str(server.pk)]}, follow=True)
        assert answer.status_code == 200
    assert Operation.objects.get().kind == "servers.bootstrap"
    assert "is queued here already" in answer.text


def test_a_change_goes_through_the_service(make_server, cast: Cast, sign_in, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    server = make_server(host_key=HOST_KEY, host_key_fingerprint="SHA256:x", status="ready")
    page, sent = reverse("admin:servers_server_change", args=[server.pk]), settings_of(server)
    browser = sign_in(cast.sam)
    assert browser.post(page, sent | {"name": "Renamed", "slug": "other"}).status_code == 302
    Server.objects.filter(pk=server.pk).update(status="error")
    assert browser.post(page, sent | {"name": "Again", "address": "192.0.2.99"}).status_code == 302
    server.refresh_from_db()
    assert (server.name, server.slug, server.address, server.host_key) == ("Again", "web-1", "192.0.2.99", "")
    assert server.status == "error"
    assert Event.objects.filter(action="server.changed").count() == 2

    theirs = services.generate_key(organization=cast.umbrella, name="theirs", actor=None)
    now = settings_of(server)
    for wrong in ({"ssh_key": str(theirs.pk)}, {"public_address": "127.0.0.1"}, {"port": "0"}, {"network_range": "x"}):
        assert browser.post(page, now | wrong).status_code == 200
    Server.objects.filter(pk=server.pk).update(host_key=HOST_KEY)
    server.refresh_from_db()
    services.bootstrap(server=server, actor=None)
    refused = browser.post(page, now | {"port": "23"})
    assert "is in use" in refused.text
    server.refresh_from_db()
    assert (server.port, server.public_address) == (22, "")
    assert server.ssh_key != theirs


def test_servers_are_not_deleted_behind_their_operation(make_server, cast: Cast, sign_in) -> None:
    server = make_server()
    assert sign_in(cast.sam).post(reverse("admin:servers_server_delete", args=[server.pk])).status_code == 403
    assert Server.objects.filter(pk=server.pk).exists()


@pytest.mark.parametrize("who", ["alice", "vera", "charlie"])
def test_it_is_for_platform_staff(key: SSHKey, cast: Cast, sign_in, who: str) -> None:
    answer = sign_in(getattr(cast, who)).get(change_page(key))
    assert answer.status_code == 302
    assert "login" in answer.url
