"""What stands around the platform in the demo, all on loopback: this machine as a server behind a private sshd, a Git
server with the demo's addons, an authoritative DNS and an ACME server. Without root the last two are left out."""

from __future__ import annotations

import json
import os
from pathlib import Path

from oecsh.embedded.processes import free_port
from tests.lab.acme import AcmeServer
from tests.lab.dns import DnsServer
from tests.lab.docker_sshd import MachineByDocker, may_use_sudo
from tests.lab.git import GitRepository, GitServer
from tests.lab.mail import MailSink
from tests.lab.sshd import ThisMachine, ensure_running

ADDRESS = "127.0.0.1"
REPOSITORY = "demo-addons"
NAMES = ("ssh", "git", "git_ssh", "dns", "acme", "acme_management", "smtp", "mail_web", "http", "https")
PREFERRED = {"http": 80, "https": 443}


class DemoLab:
    """The demo's lab in `directory`. Ports are chosen once and kept."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.is_root = os.geteuid() == 0
        directory.mkdir(parents=True, exist_ok=True)
        ports = self.ports = self._ports()
        kind = ThisMachine if may_use_sudo() else MachineByDocker
        self.machine = kind(directory / "machine", port=ports["ssh"], address=ADDRESS)
        self.git = GitServer(directory / "git", address=ADDRESS, port=ports["git"], ssh_port=ports["git_ssh"])
        self.dns = DnsServer(directory / "dns", address=ADDRESS, port=ports["dns"])
        self.acme = AcmeServer(
            directory / "acme",
            address=ADDRESS,
            dns=self.dns,
            port=ports["acme"],
            management_port=ports["acme_management"],
            http_port=ports["http"],
            tls_port=ports["https"],
        )
        self.mail = MailSink(directory / "mail", address=ADDRESS, port=ports["smtp"], web_port=ports["mail_web"])

    def start(self, base_domain: str) -> dict[str, str]:
        """Starts what does not run, and returns what the platform must be told about it."""
        ensure_running(self.machine)
        self.git.start(ssh=self.is_root)
        repository = GitRepository(self.git, REPOSITORY)
        if not (self.git.repositories / f"{REPOSITORY}.git").exists():
            repository = self.git.create(REPOSITORY)
        self.mail.start()
        facts = {
            "ssh_port": str(self.ports["ssh"]),
            "ssh_user": self.machine.user,
            "http_port": str(self.ports["http"]),
            "https_port": str(self.ports["https"]),
            "repository_url": repository.url,
            "EMAIL_URL": f"smtp://{ADDRESS}:{self.ports['smtp']}",
            "mail_address": self.mail.web_address,
        }
        return facts | (self._start_authorities(base_domain) if self.is_root else {})

    def stop(self) -> None:
        """Stops all of it."""
        for part in (self.acme, self.dns, self.mail, self.git, self.machine):
            part.stop()

    def authorize(self, public_key: str) -> None:
        """What a person does on the server before adding it: puts the platform's key into authorized_keys."""
        self.machine.authorize(public_key)

    def _start_authorities(self, base_domain: str) -> dict[str, str]:
        self.dns.start()
        self.dns.ensure_zone(base_domain, [f"@ A {ADDRESS}", f"* A {ADDRESS}"])
        self.acme.start()
        return {
            "ACME_DIRECTORY_URL": self.acme.directory_url,
            "ACME_CA_FILE": str(self.acme.https_root),
            "ACME_CONTACT": "demo@example.com",
            "dns_address": ADDRESS,
            "dns_port": str(self.ports["dns"]),
            "dns_key_name": self.dns.key_name,
            "dns_key_algorithm": self.dns.key_algorithm,
            "dns_key_secret": self.dns.key_secret,
        }

    def _ports(self) -> dict[str, int]:
        file = self.directory / "ports.json"
        ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        for name in NAMES:
            if name not in ports:
                preferred = PREFERRED.get(name) if self.is_root else None
                ports[name] = free_port(preferred, every_address=name in PREFERRED)
        file.write_text(json.dumps(ports, indent=2))
        return ports
