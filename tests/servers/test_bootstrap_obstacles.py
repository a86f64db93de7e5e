"""What can stand in the way of preparing a server: each is named, and nothing is half done."""

from __future__ import annotations

import pytest

from apps.operations.models import Status
from apps.servers import paths, services
from tests.servers.preparing import client_of, log_of

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


def test_a_taken_port_is_named_with_who_has_it(lab_server, reach, prepare) -> None:
    server = reach(lab_server, http_port=8090, https_port=22)
    operation = prepare(server)
    assert operation.status == Status.FAILED
    assert operation.error_code == "servers.port_taken"
    assert operation.error.startswith("Port 22 is taken on the server by sshd (process ")
    server.refresh_from_db()
    assert server.status == "error"
    assert "Port 22" in server.status_reason

    services.update_server(server=server, actor=None, https_port=8443)
    operation = prepare(server)
    assert operation.status == Status.COMPLETED, log_of(operation)
    with client_of(lab_server) as client:
        ports = client.containers.get(paths.PROXY_NAME).attrs["NetworkSettings"]["Ports"]
    assert ports["80/tcp"][0]["HostPort"] == "8090"


def test_a_port_that_a_foreign_container_has(second_lab_server, reach, prepare) -> None:
    with client_of(second_lab_server) as client:
        client.images.pull("busybox", "stable")
        shop = client.containers.run(
            "busybox:stable", ["sleep", "600"], name="old-shop", ports={"80/tcp": 8070}, detach=True
        )
        try:
            operation = prepare(reach(second_lab_server, http_port=8070))
            assert operation.error_code == "servers.port_taken"
            assert "the container old-shop" in operation.error
            assert shop.status in ("created", "running")
        finally:
            shop.remove(force=True)


def test_a_network_range_that_the_server_uses_already(lab_server, reach, prepare) -> None:
    octets = lab_server.address.split(".")
    server = reach(lab_server, network_range=f"{octets[0]}.{octets[1]}.0.0/16")
    operation = prepare(server)
    assert operation.error_code == "servers.network_range_taken"


def test_too_little_disk(second_lab_server, reach, prepare) -> None:
    second_lab_server.limit_disk(100)
    try:
        server = reach(second_lab_server)
        operation = prepare(server)
        assert operation.error_code == "servers.disk_too_small"
        assert "/opt/oecsh" in operation.error
        server.refresh_from_db()
        assert server.status == "error"
    finally:
        second_lab_server.reboot()


def test_an_unsupported_distribution(second_lab_server, reach, prepare) -> None:
    before = second_lab_server.run(["cat", "/etc/os-release"]).stdout
    write = ["sh", "-c", "cat > /tmp/release && rm -f /etc/os-release && cp /tmp/release /etc/os-release"]
    second_lab_server.run(write, stdin='ID=arch\nPRETTY_NAME="Arch Linux"\n')
    try:
        operation = prepare(reach(second_lab_server))
        assert operation.error_code == "servers.distribution_unsupported"
        assert "Arch Linux" in operation.error
        assert "Debian 11" in operation.hint
    finally:
        second_lab_server.run(write, stdin=before)


def test_a_user_without_sudo_is_told_so(second_lab_server, reach, prepare) -> None:
    second_lab_server.add_user("erin", docker=True)
    operation = prepare(reach(second_lab_server, user="erin"))
    assert operation.error_code == "servers.no_sudo"
