"""The mail sink, the registry with a password, and this machine as a server."""

from __future__ import annotations

import email.message
import json
import os
import smtplib
import socket
from pathlib import Path

import pytest
import requests

from images.engine import ensure_engine
from tests.lab.commands import LabError
from tests.lab.docker_sshd import MachineByDocker
from tests.lab.mail import MailSink
from tests.lab.registry import PrivateRegistry
from tests.lab.server import LabServer
from tests.lab.ssh_client import ask, connect
from tests.lab.sshd import ensure_running, this_machine

pytestmark = pytest.mark.lab


def send(sink: MailSink, *, to: str, subject: str, text: str) -> None:
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@example.com", to, subject
    message.set_content(text)
    with smtplib.SMTP(sink.address, sink.port, timeout=10) as connection:
        connection.send_message(message)


def test_mail_is_kept_and_shown(mail_sink: MailSink) -> None:
    mail_sink.clear()
    send(mail_sink, to="alice@example.com", subject="Welcome <Alice>", text="Grüße & more")
    send(mail_sink, to="bob@example.com", subject="Other", text="…")
    message = mail_sink.wait_for(to="alice@example.com", subject="Welcome")
    assert message.get_content().strip() == "Grüße & more"
    assert [found["Subject"] for found in mail_sink.messages()] == ["Other", "Welcome <Alice>"]
    text = requests.get(mail_sink.web_address, timeout=10).text
    assert "Welcome &lt;Alice&gt;" in text
    address = text.split('href="/')[2].split('"')[0]
    assert "Grüße &amp; more" in requests.get(mail_sink.web_address + address, timeout=10).text
    assert requests.get(mail_sink.web_address + "nothing", timeout=10).status_code == 404
    with pytest.raises(LabError, match="carol"):
        mail_sink.wait_for(to="carol@example.com", timeout=0.2)


def test_registry_wants_its_password(private_registry: PrivateRegistry, lab_server: LabServer) -> None:
    make = "mkdir -p /tmp/i/bin && cp /bin/busybox /tmp/i/bin && tar -C /tmp/i -c . | docker import - lab/busybox"
    lab_server.run(["sh", "-c", make])
    name = private_registry.push(lab_server, "lab/busybox", "team/tool:1")
    refused = lab_server.run(["docker", "pull", name], check=False)
    assert "no basic auth credentials" in refused.stderr
    client = lab_server.docker
    try:
        account = {"username": private_registry.user, "password": private_registry.password}
        image = client.images.pull(name, auth_config=account)
        assert name in image.tags
        with pytest.raises(Exception, match=r"unauthorized|authentication"):
            client.images.pull(name, auth_config=account | {"password": "wrong"})
    finally:
        client.close()
    assert lab_server.run(["ls", "/root/.docker"], check=False).returncode != 0


def test_this_machine_as_a_server(tmp_path: Path) -> None:
    port = free_port()
    machine = this_machine(port, directory=tmp_path / "machine")
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    try:
        with connect(machine, machine.private_key, user=machine.user) as client:
            assert ask(client, "cat /proc/sys/kernel/random/boot_id") == boot_id
        pid, key = machine.daemon.pid, machine.host_key
        again = this_machine(port, directory=tmp_path / "machine")
        assert (again.daemon.pid, again.host_key) == (pid, key)
        with pytest.raises(LabError, match="in use by another program"):
            this_machine(port, directory=tmp_path / "other")
    finally:
        machine.stop()
    assert not machine.is_running


def test_this_machine_by_docker(tmp_path: Path) -> None:
    """As for somebody who may use Docker and nothing else: root of the machine itself, its files and processes."""
    ensure_engine()
    machine = MachineByDocker(tmp_path / "machine", port=free_port())
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    try:
        machine.start()
        ensure_running(machine)
        with connect(machine, machine.private_key, user=machine.user) as client:
            assert ask(client, "cat /proc/sys/kernel/random/boot_id; id -u").split() == [boot_id, "0"]
            assert ask(client, f"touch {tmp_path}/made; docker version --format '{{{{.Server.Os}}}}'") == "linux"
        assert (tmp_path / "made").exists()
    finally:
        machine.stop()
    assert not machine.is_running


def test_this_machine_with_a_stale_mark(tmp_path: Path) -> None:
    """The sshd of an earlier boot is not there any more, and its number belongs to somebody else."""
    mark = tmp_path / "sshd.process"
    mark.write_text(json.dumps({"pid": os.getpid(), "started": 1, "boot": "earlier"}))
    machine = this_machine(free_port(), directory=tmp_path)
    try:
        assert machine.daemon.pid != os.getpid()
    finally:
        machine.stop()
    assert not mark.exists()


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]
