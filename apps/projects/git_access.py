"""What the git program is given to reach one remote, and nothing else: a checked address, and a credential by the
environment or a file of mode 0600."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from apps.core import outgoing
from apps.core.exceptions import Problem
from apps.projects.git_sources import GitSource
from apps.projects.models import GitCredential
from apps.projects.validators import host_of, validate_repository_url

ASKPASS = Path(__file__).with_name("askpass")
DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22}
# A constant: what differs comes by the environment, and the shell that git starts for it expands it inside quotes.
SSH_COMMAND = (
    'ssh -F /dev/null -T -i "$OECSH_GIT_KEY" -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=15'
    " -o ServerAliveInterval=10 -o ServerAliveCountMax=3 -o ForwardAgent=no -o ClearAllForwardings=yes"
    " -o StrictHostKeyChecking=accept-new -o HashKnownHosts=no -o UpdateHostKeys=no -o CheckHostIP=no"
    ' -o GlobalKnownHostsFile=/dev/null -o "UserKnownHostsFile=$OECSH_GIT_KNOWN_HOSTS"'
    ' -o "HostName=$OECSH_GIT_ADDRESS" -o "HostKeyAlias=$OECSH_GIT_HOST"'
)


@dataclass(frozen=True)
class Remote:
    """The parts of a repository's address that decide how it is reached."""

    scheme: str
    host: str
    port: int

    @property
    def alias(self) -> str:
        """The name of its key in known_hosts."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


@dataclass(frozen=True)
class Access:
    """Options, environment and secrets of one call of git."""

    remote: Remote
    options: list[str]
    environment: dict[str, str]
    secrets: list[str] = field(default_factory=list)


def parse(url: str) -> Remote:
    """Takes a valid address apart; raises ValidationError for another one."""
    validate_repository_url(url)
    if "://" not in url:
        return Remote("ssh", url.partition("@")[2].partition(":")[0].lower(), 22)
    parts = urlsplit(url)
    return Remote(parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS[parts.scheme])


def is_private(address: str) -> bool:
    """True for an address in one of ALLOWED_PRIVATE_NETWORKS."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    networks = map(ipaddress.ip_network, settings.ALLOWED_PRIVATE_NETWORKS)
    return any(parsed in network for network in networks if network.version == parsed.version)


@contextlib.contextmanager
def open_access(source: GitSource) -> Iterator[Access]:
    """Checks the address, and holds the credential ready while git runs. A new host key is pinned afterwards, when
    git succeeded.

    Raises Problem `core.address_*`, `projects.git_insecure`, `projects.git_needs_deploy_key`,
    `projects.git_host_key_changed`.
    """
    remote = parse(source.url)
    addresses = outgoing.check_address(remote.host, remote.port)
    if remote.scheme == "http" and not all(map(is_private, addresses)):
        raise Problem("projects.git_insecure", host=remote.host)
    with tempfile.TemporaryDirectory(prefix="oecsh-git-") as folder:
        directory = Path(folder)
        if remote.scheme == "ssh":
            yield from _open_ssh(source, remote, addresses[0], directory)
        else:
            yield _http_access(source, remote, addresses, directory)


def _base_environment(remote: Remote, directory: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": remote.scheme,
        "GIT_PROTOCOL_FROM_USER": "0",
    }


def _http_access(source: GitSource, remote: Remote, addresses: list[str], directory: Path) -> Access:
    environment = _base_environment(remote, directory)
    secrets: list[str] = []
    if source.credential is not None and source.credential.token:
        if source.credential.host != host_of(source.url):
            raise Problem("projects.token_for_another_host", host=source.credential.host, other=remote.host)
        environment["GIT_ASKPASS"] = str(ASKPASS)
        environment["OECSH_GIT_USERNAME"] = source.credential.username or "git"
        environment["OECSH_GIT_PASSWORD"] = source.credential.token
        secrets.append(source.credential.token)
    else:
        # Git would otherwise look for a program that asks on a screen.
        environment["GIT_ASKPASS"] = "true"
    # Git connects to the addresses that were checked, whatever the name resolves to a moment later.
    resolved = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    options = [
        *("-c", "http.followRedirects=false"),
        *("-c", f"http.curloptResolve={remote.host}:{remote.port}:{resolved}"),
        *("-c", "http.lowSpeedLimit=1000"),
        *("-c", "http.lowSpeedTime=30"),
        *("-c", "http.proxy="),
    ]
    return Access(remote, options, environment, secrets)


def _open_ssh(source: GitSource, remote: Remote, address: str, directory: Path) -> Iterator[Access]:
    credential = source.credential
    if credential is None or not credential.private_key:
        raise Problem("projects.git_needs_deploy_key", host=remote.host)
    key, known_hosts = directory / "key", directory / "known_hosts"
    _write_private(key, credential.private_key.rstrip("\n") + "\n")
    pinned = credential.known_host
    _write_private(known_hosts, pinned)
    environment = _base_environment(remote, directory) | {
        "GIT_SSH_COMMAND": SSH_COMMAND,
        "GIT_SSH_VARIANT": "ssh",
        "OECSH_GIT_KEY": str(key),
        "OECSH_GIT_KNOWN_HOSTS": str(known_hosts),
        "OECSH_GIT_ADDRESS": address,
        "OECSH_GIT_HOST": remote.alias,
    }
    yield Access(remote, [], environment, [credential.private_key])
    found = known_hosts.read_text()
    if found != pinned:
        _pin(credential, remote, found)


def _pin(credential: GitCredential, remote: Remote, found: str) -> None:
    """Stores the key of a host that was met for the first time. Two first meetings at once must have seen the same."""
    line = next((line for line in found.splitlines() if line.split(" ", 1)[0] == remote.alias), "")
    if not line:
        return
    with transaction.atomic():
        stored = GitCredential.objects.select_for_update().filter(pk=credential.pk).first()
        if stored is not None:
            mine = [known for known in stored.known_host.splitlines() if known.split(" ", 1)[0] == remote.alias]
            if mine and line not in mine:
                raise Problem("projects.git_host_key_changed", host=remote.host)
            if not mine:
                stored.known_host += line + "\n"
                stored.save(update_fields=["known_host", "updated_at"])
            credential.known_host = stored.known_host
        else:
            credential.known_host += line + "\n"


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
