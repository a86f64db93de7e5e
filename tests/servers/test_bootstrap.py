"""Preparing a real server: from nothing but sshd to a healthy proxy, then again; a changed host key; its removal."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager

import docker.types
import pytest

from apps.core.exceptions import Conflict, Problem
from apps.domains import routes
from apps.operations.models import Operation, Status
from apps.servers import paths, services
from apps.servers.host import open_host
from apps.servers.models import Server
from apps.servers.signals import removal_requested
from tests.servers.preparing import client_of, containers_of, finish, log_of

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


@pytest.mark.slow
def test_a_bare_server_becomes_ready_and_again_changes_nothing(bare_lab_server, reach, prepare) -> None:
    bare_lab_server.create()
    server = reach(bare_lab_server)
    first = prepare(server)
    assert first.status == Status.COMPLETED, log_of(first)
    server.refresh_from_db()
    assert (server.status, server.status_reason) == ("ready", "")
    assert server.facts["distribution"] == "debian"
    assert server.facts["docker_version"]
    assert server.bootstrapped_at
    assert server.last_seen_at

    before = containers_of(bare_lab_server)
    assert set(before) == {"oecsh_proxy", "oecsh_acme"}
    pid = bare_lab_server.run(["pgrep", "-x", "dockerd"]).stdout
    again = prepare(server)
    assert again.status == Status.COMPLETED, log_of(again)
    assert containers_of(bare_lab_server) == before
    assert bare_lab_server.run(["pgrep", "-x", "dockerd"]).stdout == pid, "the engine is never restarted"
    assert "stays as it is" in log_of(again)
    server.refresh_from_db()
    assert server.status == "ready"


def test_an_engine_that_is_there_is_left_alone(lab_server, reach, prepare) -> None:
    with client_of(lab_server) as client:
        for container in client.containers.list(all=True, ignore_removed=True):
            container.remove(force=True)
    pid = lab_server.run(["pgrep", "-x", "dockerd"]).stdout
    settings_before = lab_server.run(["cat", "/etc/docker/daemon.json"], check=False).stdout
    operation = prepare(reach(lab_server))
    assert operation.status == Status.COMPLETED, log_of(operation)
    assert lab_server.run(["pgrep", "-x", "dockerd"]).stdout == pid
    assert lab_server.run(["cat", "/etc/docker/daemon.json"], check=False).stdout == settings_before


def test_the_proxy_is_as_it_was_promised(lab_server, reach, prepare) -> None:
    server = reach(lab_server)
    operation = prepare(server)
    assert operation.status == Status.COMPLETED, log_of(operation)
    with client_of(lab_server) as client:
        proxy = client.containers.get(paths.PROXY_NAME)
        responder = client.containers.get(paths.ACME_NAME)
    host_configuration = proxy.attrs["HostConfig"]
    assert host_configuration["Binds"] == ["/opt/oecsh/proxy:/opt/oecsh/proxy:ro"], "and no socket of Docker"
    assert host_configuration["RestartPolicy"]["Name"] == "unless-stopped"
    assert host_configuration["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert set(proxy.attrs["NetworkSettings"]["Ports"]) == {"80/tcp", "443/tcp"}
    assert responder.attrs["NetworkSettings"]["Ports"] == {}
    assert responder.attrs["Config"]["User"] == "65534:65534"


def test_routes_are_seen_and_the_responder_answers_behind_the_proxy(lab_server, reach, prepare, opened) -> None:
    operation = prepare(reach(lab_server))
    assert operation.status == Status.COMPLETED, log_of(operation)
    with opened_host(operation) as host:
        host.files.write(paths.routes_directory() / "shared.yml", routes.render_shared(), 0o644)
        host.files.write(paths.challenges_directory() / "a-token", "a-token.thumbprint", 0o644)
    answer = wait_for_answer(lab_server.address, "/.well-known/acme-challenge/a-token")
    assert answer == (200, b"a-token.thumbprint")


@contextmanager
def opened_host(operation: Operation) -> Iterator:
    with open_host(Server.objects.get(pk=operation.subject_id)) as host:
        yield host


def wait_for_answer(address: str, path: str) -> tuple[int, bytes]:
    for _ in range(50):
        connection = http.client.HTTPConnection(address, 80, timeout=5)
        connection.request("GET", path, headers={"Host": "www.example.com"})
        response = connection.getresponse()
        answer = (response.status, response.read())
        connection.close()
        if answer[0] == 200:
            return answer
        time.sleep(0.1)
    return answer


def test_another_port_keeps_the_networks_of_the_proxy(lab_server, reach, prepare) -> None:
    server = reach(lab_server)
    assert prepare(server).status == Status.COMPLETED
    with client_of(lab_server) as client:
        pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.96.0.0/28")])
        network = client.networks.create("an-environment", ipam=pool)
        network.connect(paths.PROXY_NAME, ipv4_address="10.96.0.2")
        services.update_server(server=server, actor=None, http_port=8088)
        operation = prepare(server)
        assert operation.status == Status.COMPLETED, log_of(operation)
        proxy = client.containers.get(paths.PROXY_NAME)
        assert proxy.attrs["NetworkSettings"]["Networks"]["an-environment"]["IPAddress"] == "10.96.0.2"
        names = [container.name for container in client.containers.list(all=True, ignore_removed=True)]
        assert "oecsh_proxy_replaced" not in names
        network.disconnect(proxy)
        network.remove()


def test_a_changed_host_key_stops_everything_until_it_is_confirmed(second_lab_server, reach, prepare, cast) -> None:
    server = reach(second_lab_server)
    assert prepare(server).status == Status.COMPLETED
    before = containers_of(second_lab_server)
    second_lab_server.change_host_key()
    server = Server.objects.get(pk=server.pk)

    operation = prepare(server)
    assert operation.error_code == "servers.host_key_changed"
    assert server.host_key_fingerprint in operation.hint
    assert second_lab_server.host_key_fingerprint in operation.hint
    assert containers_of(second_lab_server) == before
    with pytest.raises(Problem) as caught:
        services.test_connection(server)
    assert caught.value.code == "servers.host_key_changed"
    services.sync(server)
    assert server.status == "error"

    services.confirm_host_key(server=server, host_key=second_lab_server.host_key, actor=cast.alice)
    server.refresh_from_db()
    assert server.host_key_fingerprint == second_lab_server.host_key_fingerprint
    assert server.status == "ready"


def test_the_proxy_comes_back_with_the_machine(second_lab_server, reach, prepare) -> None:
    server = reach(second_lab_server)
    assert prepare(server).status == Status.COMPLETED
    before = {name: entry.split()[0] for name, entry in containers_of(second_lab_server).items()}
    second_lab_server.reboot()
    after = {name: entry.split()[0] for name, entry in containers_of(second_lab_server).items()}
    assert after == before, "the same containers, without the platform"
    services.sync(server)
    assert server.status == "ready"


def test_removal_takes_the_proxy_and_leaves_the_rest(second_lab_server, reach, prepare, cast) -> None:
    server = reach(second_lab_server)
    assert prepare(server).status == Status.COMPLETED
    second_lab_server.run(["sh", "-c", "mkdir -p /opt/oecsh/envs/kept && echo data > /opt/oecsh/envs/kept/file"])

    def objection(sender, server, **rest) -> str:
        return "2 environments are placed on it"

    removal_requested.connect(objection)
    try:
        with pytest.raises(Conflict) as caught:
            services.remove_server(server=server, actor=cast.alice)
        assert "2 environments" in caught.value.title
    finally:
        removal_requested.disconnect(objection)

    operation = finish(services.remove_server(server=server, actor=cast.alice))
    assert operation.status == Status.COMPLETED, log_of(operation)
    assert not Server.objects.filter(pk=server.pk).exists()
    assert containers_of(second_lab_server) == {}
    assert second_lab_server.run(["cat", "/opt/oecsh/envs/kept/file"]).stdout == "data\n"


def test_a_machine_that_is_gone_can_be_forgotten(reach, lab_server, cast) -> None:
    server = reach(lab_server, port=9)
    operation = finish(services.remove_server(server=server, actor=cast.alice, only_forget=True))
    assert operation.status == Status.COMPLETED, log_of(operation)
    assert operation.steps.get(name="remove_proxy").status == Status.SKIPPED
    assert not Server.objects.filter(pk=server.pk).exists()
