"""Servers and keys as the services write them: audited, unique, and never another organization's."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.audit.models import Event
from apps.core.exceptions import Conflict, Problem
from apps.operations.models import Operation
from apps.servers import keys, services
from apps.servers.models import Server, SSHKey
from apps.servers.signals import removal_requested
from tests.cast import Cast
from tests.servers.pages import HOST_KEY
from tests.servers.peer import serving

pytestmark = pytest.mark.django_db


def add(cast: Cast, **fields) -> Server:
    values = {"organization": cast.acme, "name": "Web", "address": "192.0.2.1", "actor": cast.alice}
    return services.add_server(**values | fields)


def test_a_server_gets_a_key_of_its_own(cast: Cast) -> None:
    server = add(cast)
    assert server.status == "pending"
    assert server.ssh_key.generated
    assert keys.parse(server.ssh_key.private_key).fingerprint == server.ssh_key.fingerprint
    assert server.ssh_key.public_key.startswith("ssh-ed25519 ")
    actions = list(Event.objects.order_by("created_at").values_list("action", flat=True))
    assert actions[-2:] == ["ssh_key.added", "server.added"]


def test_secrets_lie_encrypted_and_the_audit_has_none(cast: Cast) -> None:
    pair = keys.generate()
    server = add(cast, private_key=pair.private_text, passphrase="a passphrase of mine")
    secret_line = pair.private_text.splitlines()[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key, passphrase FROM servers_sshkey WHERE id = %s", [server.ssh_key_id])
        stored = " ".join(cursor.fetchone())
    assert secret_line not in stored
    assert "a passphrase of mine" not in stored
    told = " ".join(f"{event.before} {event.after} {event.target_name}" for event in Event.objects.all())
    assert secret_line not in told
    assert "a passphrase of mine" not in told


def test_nothing_is_left_behind_when_it_cannot_be_added(cast: Cast) -> None:
    add(cast)
    with pytest.raises(Conflict) as caught:
        add(cast, name="Again")
    assert caught.value.code == "servers.already_added"
    with pytest.raises(Problem):
        add(cast, address="192.0.2.2", private_key="nonsense")
    with pytest.raises(ValidationError):
        add(cast, address="-oProxyCommand=id")
    assert Server.objects.count() == SSHKey.objects.count() == 1


def test_two_organizations_may_have_the_same_address(cast: Cast) -> None:
    add(cast)
    assert add(cast, organization=cast.umbrella, actor=cast.charlie)


def test_a_key_of_another_organization_is_never_used(cast: Cast) -> None:
    theirs = services.generate_key(organization=cast.umbrella, name="theirs", actor=cast.charlie)
    with pytest.raises(ValueError, match="another organization"):
        add(cast, ssh_key=theirs)
    server = add(cast)
    with pytest.raises(ValueError, match="another organization"):
        services.update_server(server=server, actor=cast.alice, ssh_key=theirs)


def test_changes_are_audited_and_nothing_else_can_be_changed(cast: Cast) -> None:
    server = add(cast)
    services.update_server(server=server, actor=cast.alice, name="Web one", http_port=8080)
    event = Event.objects.filter(action="server.changed").get()
    assert (event.before, event.after) == ({"name": "Web", "http_port": 80}, {"name": "Web one", "http_port": 8080})
    services.update_server(server=server, actor=cast.alice, name="Web one")
    assert Event.objects.filter(action="server.changed").count() == 1, "the same again is no change"
    with pytest.raises(ValueError, match="host_key"):
        services.update_server(server=server, actor=cast.alice, host_key="ssh-ed25519 AAAA")


def test_a_key_in_use_stays(cast: Cast) -> None:
    server = add(cast)
    with pytest.raises(Conflict) as caught:
        services.remove_key(key=server.ssh_key, actor=cast.alice)
    assert caught.value.code == "servers.key_in_use"
    spare = services.generate_key(organization=cast.acme, name="spare", actor=cast.alice)
    services.remove_key(key=spare, actor=cast.alice)
    assert not SSHKey.objects.filter(pk=spare.pk).exists()


def test_keys_of_one_name_are_numbered(cast: Cast) -> None:
    names = [services.generate_key(organization=cast.acme, name="Web", actor=None).name for _ in range(3)]
    assert names == ["Web", "Web (2)", "Web (3)"]


def test_nothing_starts_before_the_host_key_is_confirmed(cast: Cast) -> None:
    server = add(cast)
    for call in (services.test_connection, lambda server: services.bootstrap(server=server, actor=cast.alice)):
        with pytest.raises(Problem) as caught:
            call(server)
        assert caught.value.code == "servers.host_key_unknown"
    assert not Operation.objects.exists()


def test_removal_collects_every_objection(cast: Cast) -> None:
    server = add(cast)

    def environments(sender, server, **rest) -> str:
        return "3 environments are placed on it"

    def nothing(sender, server, **rest) -> None:
        return None

    def backups(sender, server, **rest) -> str:
        return "a backup is running"

    receivers = [environments, nothing, backups]
    for receiver in receivers:
        removal_requested.connect(receiver)
    try:
        with pytest.raises(Conflict) as caught:
            services.remove_server(server=server, actor=cast.alice)
        assert "3 environments are placed on it; a backup is running" in caught.value.title
        assert not Operation.objects.exists()
    finally:
        for receiver in receivers:
            removal_requested.disconnect(receiver)
    assert services.remove_server(server=server, actor=cast.alice).kind == "servers.remove"


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "0.0.0.0"])
def test_a_public_address_is_guarded(cast: Cast, settings, address: str) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    server = add(cast)
    for call in (
        lambda: services.update_server(server=server, actor=cast.alice, public_address=address),
        lambda: add(cast, address="192.0.2.2", public_address=address),
    ):
        with pytest.raises(Problem) as caught:
            call()
        assert caught.value.code == "core.address_not_allowed"
    server.refresh_from_db()
    assert server.public_address == ""
    services.update_server(server=server, actor=cast.alice, public_address="93.184.215.14")
    assert server.dns_address == "93.184.215.14"
    services.update_server(server=server, actor=cast.alice, public_address="")


def test_what_operations_rely_on_stays_while_they_run(cast: Cast) -> None:
    server = add(cast)
    Server.objects.filter(pk=server.pk).update(host_key=HOST_KEY)
    server.refresh_from_db()
    services.bootstrap(server=server, actor=cast.alice)
    for change in ({"address": "192.0.2.9"}, {"port": 23}, {"http_port": 81}, {"network_range": "10.97.0.0/16"}):
        with pytest.raises(Conflict) as caught:
            services.update_server(server=server, actor=cast.alice, **change)
        assert caught.value.code == "servers.at_work"
        assert "Prepare Web is under way" in caught.value.title
    services.update_server(server=server, actor=cast.alice, name="Other", cpu_overcommit=2)
    server.refresh_from_db()
    assert (server.name, server.address, server.host_key) == ("Other", "192.0.2.1", HOST_KEY)


def test_a_stale_object_overwrites_nothing_that_was_not_asked_for(cast: Cast) -> None:
    server = add(cast)
    stale = Server.objects.get(pk=server.pk)
    services.update_server(server=server, actor=cast.alice, http_port=8080)
    services.update_server(server=stale, actor=cast.alice, name="Other")
    server.refresh_from_db()
    assert (server.name, server.http_port) == ("Other", 8080)
    last = Event.objects.filter(action="server.changed").order_by("created_at").last()
    assert last.before == {"name": "Web"}


def test_a_host_key_is_confirmed_for_the_address_that_showed_it(cast: Cast) -> None:
    """While the key is fetched from the old address, somebody enters another one."""
    with serving() as peer:
        endpoint = peer.endpoint()
        server = add(cast, address=endpoint.address, port=endpoint.port)
        stale = Server.objects.get(pk=server.pk)
        services.update_server(server=server, actor=cast.alice, address="192.0.2.9")
        with pytest.raises(Conflict) as caught:
            services.confirm_host_key(server=stale, host_key=endpoint.host_key, actor=cast.alice)
        assert caught.value.code == "servers.address_changed"
        server.refresh_from_db()
        assert server.host_key == ""
        services.update_server(server=server, actor=cast.alice, address=endpoint.address)
        services.confirm_host_key(server=stale, host_key=endpoint.host_key, actor=cast.alice)
    server.refresh_from_db()
    assert server.host_key == endpoint.host_key
