"""Which systems are recognized, and the exact commands that each of them gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import Problem
from apps.servers.distributions import Family, InitSystem, install_plan, parse_os_release, recognize, start_commands

DEBIAN_12 = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
"""
UBUNTU_2404 = """PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=noble
"""
RHEL_9 = """NAME="Red Hat Enterprise Linux"
VERSION="9.4 (Plow)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Red Hat Enterprise Linux 9.4 (Plow)"
"""
ROCKY_9 = """NAME="Rocky Linux"
VERSION="9.4 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
"""
ALMA_8 = """NAME="AlmaLinux"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="8.10"
PRETTY_NAME="AlmaLinux 8.10 (Cerulean Leopard)"
"""
CENTOS_9 = """NAME="CentOS Stream"
VERSION="9"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="9"
PRETTY_NAME="CentOS Stream 9"
"""
FEDORA_41 = """NAME="Fedora Linux"
VERSION="41 (Server Edition)"
ID=fedora
VERSION_ID=41
PRETTY_NAME="Fedora Linux 41 (Server Edition)"
"""
ALPINE_320 = """NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.20.3
PRETTY_NAME="Alpine Linux v3.20"
"""
DEBIAN_SID = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\nVERSION_CODENAME=forky\n'

APT = "env DEBIAN_FRONTEND=noninteractive apt-get --option DPkg::Lock::Timeout=300"
DEBIAN_PACKAGES = "docker.io ca-certificates apparmor iptables"
FROM_DOCKER = "dnf --assumeyes install docker-ce docker-ce-cli containerd.io"


def commands(os_release: str, rpm_repository: str = "") -> tuple[list[str], list[str]]:
    plan = install_plan(recognize(os_release), rpm_repository=rpm_repository)
    return [" ".join(command) for command in plan.prepare], [" ".join(command) for command in plan.alternatives]


@pytest.mark.parametrize(
    ("os_release", "name", "version", "family"),
    [
        (DEBIAN_12, "debian", (12,), Family.DEBIAN),
        (DEBIAN_12.replace('"12"', '"11"'), "debian", (11,), Family.DEBIAN),
        (DEBIAN_SID, "debian", (), Family.DEBIAN),
        (UBUNTU_2404, "ubuntu", (24, 4), Family.DEBIAN),
        (UBUNTU_2404.replace("24.04", "20.04"), "ubuntu", (20, 4), Family.DEBIAN),
        (RHEL_9, "rhel", (9, 4), Family.RED_HAT),
        (ROCKY_9, "rocky", (9, 4), Family.RED_HAT),
        (ALMA_8, "almalinux", (8, 10), Family.RED_HAT),
        (CENTOS_9, "centos", (9,), Family.RED_HAT),
        (FEDORA_41, "fedora", (41,), Family.RED_HAT),
        (ALPINE_320, "alpine", (3, 20, 3), Family.ALPINE),
    ],
)
def test_supported_systems_are_recognized(os_release: str, name: str, version: tuple, family: Family) -> None:
    found = recognize(os_release)
    assert (found.id, found.version, found.family) == (name, version, family)
    assert found.title == parse_os_release(os_release)["PRETTY_NAME"]


@pytest.mark.parametrize(
    "os_release",
    [
        DEBIAN_12.replace('"12"', '"10"'),
        UBUNTU_2404.replace("24.04", "18.04"),
        CENTOS_9.replace('"9"', '"7"'),
        FEDORA_41.replace("41", "30"),
        ALPINE_320.replace("3.20.3", "3.12.0"),
        'ID=arch\nPRETTY_NAME="Arch Linux"\n',
        'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21"\nPRETTY_NAME="Linux Mint 21"\n',
        'ID="opensuse-leap"\nVERSION_ID="15.6"\nPRETTY_NAME="openSUSE Leap 15.6"\n',
        'ID=rocky\nPRETTY_NAME="Rocky Linux"\n',
        "",
        "\0\xff=nonsense",
    ],
)
def test_all_others_are_refused_by_their_name(os_release: str) -> None:
    with pytest.raises(Problem) as caught:
        recognize(os_release)
    assert caught.value.code == "servers.distribution_unsupported"
    expected = parse_os_release(os_release).get("PRETTY_NAME") or "This system"
    assert caught.value.title == f"{expected} is not supported."


def test_debian() -> None:
    install = f"{APT} install --yes --no-install-recommends {DEBIAN_PACKAGES}"
    assert commands(DEBIAN_12) == ([f"{APT} update"], [install])
    with_program = ([f"{APT} update"], [f"{install} docker-cli"])
    assert commands(DEBIAN_12.replace('"12"', '"13"')) == with_program
    assert commands(DEBIAN_SID) == with_program


def test_ubuntu() -> None:
    expected = ([f"{APT} update"], [f"{APT} install --yes --no-install-recommends {DEBIAN_PACKAGES}"])
    assert commands(UBUNTU_2404) == expected


@pytest.mark.parametrize("os_release", [RHEL_9, ROCKY_9, ALMA_8, CENTOS_9])
def test_the_red_hat_family(os_release: str) -> None:
    assert commands(os_release) == ([], [FROM_DOCKER]), "no package source is added that nobody asked for"
    repository = "https://packages.example.com/docker-ce.repo"
    download = "curl --fail --silent --show-error --location --output /etc/yum.repos.d/docker-ce.repo --"
    assert commands(os_release, repository) == ([f"{download} {repository}"], [FROM_DOCKER])


def test_fedora_has_docker_of_its_own() -> None:
    expected = ["dnf --assumeyes install moby-engine docker-cli", "dnf --assumeyes install moby-engine"]
    assert commands(FEDORA_41) == ([], expected)


def test_alpine() -> None:
    assert commands(ALPINE_320) == (["apk update"], ["apk add docker coreutils tar"])


def test_how_the_engine_is_started() -> None:
    assert start_commands(InitSystem.SYSTEMD) == (("systemctl", "enable", "--now", "docker"),)
    assert start_commands(InitSystem.OPENRC) == (
        ("rc-update", "add", "docker", "default"),
        ("rc-service", "docker", "start"),
    )
    assert start_commands(InitSystem.SYSVINIT) == (("service", "docker", "start"),)
    words = {word for system in InitSystem for command in start_commands(system) for word in command}
    assert "restart" not in words


@given(st.text(max_size=400))
def test_no_file_breaks_the_parser(text: str) -> None:
    values = parse_os_release(text)
    assert all(isinstance(value, str) for value in values.values())
