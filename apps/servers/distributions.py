"""Which Linux a server runs, and how Docker gets there. Pure: commands are values, compared as such in the tests.

Proven by real installations: Debian. For the others the commands are those of their own documentation.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum

from apps.core.exceptions import Problem
from apps.servers.answers import short_text

Command = tuple[str, ...]
# Of a part of a version: 20220304 is one.
_MOST_DIGITS = 9

DAEMON_CONFIGURATION = """{
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"},
  "live-restore": true
}
"""
"""Written where Docker is installed by us and nobody configured it before: rotated logs by default, and containers that
go on while the engine is updated."""


class Family(StrEnum):
    """Distributions that share a package manager."""

    DEBIAN = "debian"
    RED_HAT = "redhat"
    ALPINE = "alpine"


class InitSystem(StrEnum):
    """What starts services."""

    SYSTEMD = "systemd"
    OPENRC = "openrc"
    SYSVINIT = "sysvinit"


# os-release's ID: the family, and the oldest version that is supported (0: any).
SUPPORTED: dict[str, tuple[Family, tuple[int, ...]]] = {
    "debian": (Family.DEBIAN, (11,)),
    "ubuntu": (Family.DEBIAN, (20, 4)),
    "rhel": (Family.RED_HAT, (8,)),
    "centos": (Family.RED_HAT, (8,)),
    "rocky": (Family.RED_HAT, (8,)),
    "almalinux": (Family.RED_HAT, (8,)),
    "ol": (Family.RED_HAT, (8,)),
    "fedora": (Family.RED_HAT, (38,)),
    "alpine": (Family.ALPINE, (3, 16)),
}


@dataclass(frozen=True)
class Distribution:
    """A supported Linux. `title` is what people call it."""

    id: str
    version: tuple[int, ...]
    family: Family
    title: str


@dataclass(frozen=True)
class InstallPlan:
    """Commands in order; of `alternatives` the first that works is enough."""

    prepare: tuple[Command, ...]
    alternatives: tuple[Command, ...]


def parse_os_release(text: str) -> dict[str, str]:
    """The assignments of an os-release file (its format: os-release(5)). Broken lines are left out."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, value = line.strip().partition("=")
        if not separator or name.startswith("#"):
            continue
        try:
            values[name] = "".join(shlex.split(value))
        except ValueError:
            continue
    return values


def recognize(os_release: str) -> Distribution:
    """The distribution that an os-release file tells of. Raises Problem `servers.distribution_unsupported`."""
    values = parse_os_release(os_release)
    name, version_text = values.get("ID", ""), values.get("VERSION_ID", "")
    title = short_text(values.get("PRETTY_NAME") or f"{name} {version_text}") or "This system"
    family, oldest = SUPPORTED.get(name, (None, ()))
    version = _version(version_text)
    # Debian's testing and unstable have no VERSION_ID: they are newer than every release.
    is_rolling = name == "debian" and not version
    if family is None or (version < oldest and not is_rolling):
        raise Problem("servers.distribution_unsupported", distribution=title)
    return Distribution(id=name, version=version, family=family, title=title)


def _version(text: str) -> tuple[int, ...]:
    """`20.04` as (20, 4), `3.19.1` as (3, 19, 1); what follows something that is no number is left out."""
    numbers: list[int] = []
    for part in text.split("."):
        if not (part.isascii() and part.isdecimal() and len(part) <= _MOST_DIGITS):
            break
        numbers.append(int(part))
    return tuple(numbers)


def install_plan(distribution: Distribution, *, rpm_repository: str = "") -> InstallPlan:
    """How Docker is installed. `rpm_repository` is the address of a `.repo` file that is added first on the Red Hat
    family, whose own sources have no Docker; without it the sources that the server has must know Docker."""
    if distribution.family is Family.DEBIAN:
        return _install_by_apt(distribution)
    if distribution.family is Family.ALPINE:
        # BusyBox' own tools lack options that copying an environment needs.
        return InstallPlan(prepare=(("apk", "update"),), alternatives=(("apk", "add", "docker", "coreutils", "tar"),))
    return _install_by_dnf(distribution, rpm_repository)


def _install_by_apt(distribution: Distribution) -> InstallPlan:
    apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--option", "DPkg::Lock::Timeout=300")
    # Without apparmor's parser no container starts where the kernel has AppArmor on.
    packages = ["docker.io", "ca-certificates", "apparmor", "iptables"]
    if distribution.id == "debian" and (not distribution.version or distribution.version >= (13,)):
        packages.append("docker-cli")
    install = (*apt, "install", "--yes", "--no-install-recommends", *packages)
    return InstallPlan(prepare=((*apt, "update"),), alternatives=(install,))


def _install_by_dnf(distribution: Distribution, rpm_repository: str) -> InstallPlan:
    dnf = ("dnf", "--assumeyes", "install")
    from_docker = (*dnf, "docker-ce", "docker-ce-cli", "containerd.io")
    from_fedora = ((*dnf, "moby-engine", "docker-cli"), (*dnf, "moby-engine"))
    if distribution.id == "fedora" and not rpm_repository:
        return InstallPlan(prepare=(), alternatives=from_fedora)
    download = ("curl", "--fail", "--silent", "--show-error", "--location", "--output")
    added = ((*download, "/etc/yum.repos.d/docker-ce.repo", "--", rpm_repository),) if rpm_repository else ()
    return InstallPlan(prepare=added, alternatives=(from_docker,))


def start_commands(init_system: InitSystem) -> tuple[Command, ...]:
    """How the engine is started now and at each boot. Harmless where it runs."""
    if init_system is InitSystem.SYSTEMD:
        return (("systemctl", "enable", "--now", "docker"),)
    if init_system is InitSystem.OPENRC:
        return (("rc-update", "add", "docker", "default"), ("rc-service", "docker", "start"))
    return (("service", "docker", "start"),)
