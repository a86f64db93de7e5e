"""A plain SSH client for the lab's own tests: the host key is checked, this machine's settings play no part."""

from __future__ import annotations

import base64
import io

import paramiko

from tests.lab.server import LabServer
from tests.lab.sshd import PrivateSshd


def connect(
    server: LabServer | PrivateSshd, private_key: str, *, user: str = "root", timeout: float = 10
) -> paramiko.SSHClient:
    """An open connection; raises paramiko's exceptions."""
    client = paramiko.SSHClient()
    name = server.address if server.port == 22 else f"[{server.address}]:{server.port}"
    client.get_host_keys().add(
        name, "ssh-ed25519", paramiko.Ed25519Key(data=base64.b64decode(server.host_key.split()[1]))
    )
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(private_key))
    client.connect(
        server.address, port=server.port, username=user, pkey=key, look_for_keys=False, allow_agent=False,
        timeout=timeout, banner_timeout=timeout, auth_timeout=timeout,
    )  # fmt: skip
    return client


def ask(client: paramiko.SSHClient, command: str, *, timeout: float = 10) -> str:
    """What a command prints, without the last line's end."""
    _, output, _ = client.exec_command(command, timeout=timeout)
    return output.read().decode().strip()
