"""The lab by hand: python -m tests.lab up|down|status.

`up` starts the servers alpha and beta (Docker) and gamma (bare), Git, DNS, ACME, mail and the registry in slot 0,
and leaves them running; a second `up` starts what is missing. `down` ends them, and nothing else.
"""

from __future__ import annotations

import argparse

from tests.lab.commands import file_lock
from tests.lab.lab import BY_HAND, Lab
from tests.lab.paths import slot_directory
from tests.lab.server import LabServer

SERVERS = {"alpha": True, "beta": True, "gamma": False}


def up(lab: Lab) -> None:
    for part in lab.daemons:
        part.start()
    for name, docker in SERVERS.items():
        server = lab.known_server(name, docker=docker)
        if not server.is_running:
            server.create()
    status(lab)


def down(lab: Lab) -> None:
    lab.close()


def status(lab: Lab) -> None:
    for name, docker in lab.server_names().items():
        print(_server_line(lab.known_server(name, docker=docker)))
    lines = {
        "git": f"http://{lab.address}:{lab.git.port}/NAME.git, ssh://git@{lab.address}:{lab.git.ssh_port}/NAME.git",
        "dns": f"{lab.address} port {lab.dns.port}, key {lab.dns.key_name} in {lab.dns.directory}/secret",
        "acme": lab.acme.directory_url,
        "mail": f"SMTP {lab.address}:{lab.mail.port}, read at {lab.mail.web_address}",
        "registry": f"{lab.private_registry.host}, user {lab.private_registry.user}",
    }
    for (name, line), part in zip(lines.items(), lab.daemons, strict=True):
        print(f"{name:10} {'running' if part.is_running else 'stopped'}  {line}")


def _server_line(server: LabServer) -> str:
    state = "running" if server.is_running else "stopped"
    flavour = "with Docker" if server.has_docker else "bare"
    key = server.directory / "id_ed25519"
    return f"{server.name:10} {state}  {server.user}@{server.address}, {flavour}, key {key}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = {"up": up, "down": down, "status": status}
    parser.add_argument("command", choices=commands)
    command = parser.parse_args().command
    with file_lock(slot_directory(BY_HAND) / "lock"):
        commands[command](Lab(BY_HAND))


if __name__ == "__main__":
    main()
