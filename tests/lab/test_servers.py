"""Servers of the lab: what one finds on them."""

from __future__ import annotations

import paramiko
import pytest

from tests.lab.lab import Lab
from tests.lab.server import LabServer
from tests.lab.ssh_client import ask, connect

pytestmark = pytest.mark.lab

IMAGE = "lab/busybox"
MAKE_IMAGE = f"mkdir -p /tmp/i/bin && cp /bin/busybox /tmp/i/bin && tar -C /tmp/i -c . | docker import - {IMAGE}"
READ_LIMITS = """
/bin/busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null ||
/bin/busybox cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max
"""


@pytest.fixture(scope="module")
def run_container(lab_server: LabServer) -> list[str]:
    """The words before a shell script that is to run in a small limited container of `lab_server`."""
    lab_server.run(["sh", "-c", MAKE_IMAGE])
    return ["docker", "run", "--rm", "-m", "64m", "--cpus", "0.5", IMAGE, "/bin/busybox", "sh", "-c"]


def test_signs_in_by_key_and_finds_everything_at_its_usual_place(lab_server: LabServer) -> None:
    with connect(lab_server, lab_server.private_key) as client:
        assert ask(client, "hostname; id -u; . /etc/os-release; echo $VERSION_CODENAME") == "alpha\n0\nbookworm"
        assert ask(client, "docker info --format '{{.DockerRootDir}} {{.Driver}}'") == "/var/lib/docker overlay2"
        assert ask(client, "stat --format %F /run/docker.sock") == "socket"


def test_refuses_an_unknown_key_and_a_password(lab_server: LabServer) -> None:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # noqa: S507 (the lab's own server)
    with client, pytest.raises(paramiko.AuthenticationException):
        client.connect(lab_server.address, username="root", pkey=paramiko.ECDSAKey.generate(),
                       look_for_keys=False, allow_agent=False, timeout=10)  # fmt: skip
    with client, pytest.raises(paramiko.BadAuthenticationType):
        client.connect(lab_server.address, username="root", password="secret",
                       look_for_keys=False, allow_agent=False, timeout=10)  # fmt: skip


def test_user_outside_the_docker_group_has_no_docker(lab_server: LabServer) -> None:
    lab_server.add_user("plain")
    lab_server.add_user("trusted", docker=True, sudo=True)
    with connect(lab_server, lab_server.private_key, user="plain") as client:
        assert ask(client, "docker ps >/dev/null 2>&1 || echo refused") == "refused"
    with connect(lab_server, lab_server.private_key, user="trusted") as client:
        assert ask(client, "docker ps >/dev/null && sudo -n id -u") == "0"


def test_containers_are_limited(lab_server: LabServer, run_container: list[str]) -> None:
    limits = lab_server.run([*run_container, READ_LIMITS]).stdout.split()
    assert {"67108864", "50000"} <= set(limits)
    take_more = "/bin/busybox dd if=/dev/zero of=/dev/null bs=200M count=1"
    assert lab_server.run([*run_container, take_more], check=False).returncode != 0


def test_containers_reach_what_is_outside(lab: Lab, lab_server: LabServer, run_container: list[str]) -> None:
    lab.dns.start()
    lab.dns.add_zone("outside.test", ["here A 192.0.2.77"])
    script = f"/bin/busybox nslookup here.outside.test {lab.dns.address}"
    assert "192.0.2.77" in lab_server.run([*run_container, script]).stdout
    route = lab_server.run([*run_container, "/bin/busybox ip route"]).stdout
    assert "default via 172." in route


def test_servers_reach_each_other_and_share_nothing(lab_server: LabServer, second_lab_server: LabServer) -> None:
    lab_server.run(["sh", "-c", "mkdir -p /opt/mine && echo 1 > /etc/mine"])
    assert second_lab_server.run(["ls", "/opt/mine"], check=False).returncode != 0
    assert second_lab_server.run(["ls", "/etc/mine"], check=False).returncode != 0
    assert second_lab_server.host_key != lab_server.host_key
    script = f"exec 3<>/dev/tcp/{lab_server.address}/22 && head -c 3 <&3"
    assert second_lab_server.run(["bash", "-c", script]).stdout == "SSH"


def test_same_name_is_the_same_server_and_another_flavour_is_refused(lab: Lab, lab_server: LabServer) -> None:
    assert lab.server("alpha") is lab_server
    with pytest.raises(Exception, match="exists with Docker"):
        lab.server("alpha", docker=False)
    with pytest.raises(Exception, match="no name for a server"):
        lab.server("../alpha")


def test_bare_server_can_install_docker(bare_lab_server: LabServer) -> None:
    server = bare_lab_server
    server.create()  # a test before this one may have installed something
    find_docker = ["sh", "-c", "command -v docker dockerd"]
    assert server.run(find_docker, check=False).returncode != 0
    with connect(server, server.private_key) as client:
        ask(client, "apt-get update -q", timeout=120)
        install = "DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends docker.io"
        ask(client, install, timeout=300)
        assert ask(client, "service docker start >/dev/null; echo $?", timeout=60) == "0"
    server.wait_for_docker()
    assert server.run(["docker", "info", "--format", "{{.Driver}}"]).stdout.strip() == "overlay2"
    server.create()
    assert server.run(find_docker, check=False).returncode != 0
