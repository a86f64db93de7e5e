"""What a server tells about itself, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core.exceptions import Problem
from apps.servers.distributions import InitSystem, recognize
from apps.servers.facts import check_requirements, parse, warnings
from tests.servers.test_distributions import DEBIAN_12

ANSWER = """architecture=x86_64
kernel=6.1.0-18-amd64
cpu_count=4
memory_total_kilobytes=8123456
memory_free_kilobytes=6123456
disk_total_kilobytes=103081248
disk_free_kilobytes=90000000
docker_disk_free_kilobytes=80000000
init_system=systemd
docker_installed=yes
docker_version=20.10.24
""" + "".join(f"os_release:{line}\n" for line in DEBIAN_12.splitlines())


def test_the_answer_is_understood() -> None:
    facts, os_release = parse(ANSWER)
    assert os_release == DEBIAN_12.strip()
    assert facts.as_json() == {
        "distribution": "debian",
        "version": "12",
        "title": "Debian GNU/Linux 12 (bookworm)",
        "architecture": "x86_64",
        "kernel": "6.1.0-18-amd64",
        "init_system": "systemd",
        "cpu_count": 4,
        "memory_megabytes": 7933,
        "memory_free_megabytes": 5979,
        "disk_total_megabytes": 100665,
        "disk_free_megabytes": 87890,
        "docker_disk_free_megabytes": 78125,
        "docker_version": "20.10.24",
        "docker_installed": True,
    }


@pytest.mark.parametrize("text", ["", "garbage", "cpu_count=many\nos_release:ID", "=\n==\nos_release:=="])
def test_a_strange_answer_is_no_accident(text: str) -> None:
    facts, _ = parse(text)
    assert facts.cpu_count == 0
    assert facts.docker_version == ""


@pytest.mark.parametrize("number", ["\u00b2", "\u0663", "-1", "4.0", " 4", "9" * 5000, "9" * 19, "4\0"])
def test_what_is_no_number_is_none(number: str) -> None:
    assert parse(f"cpu_count={number}\nmemory_total_kilobytes={number}\n")[0].cpu_count == 0


def test_no_text_of_a_stranger_is_kept_whole() -> None:
    facts, _ = parse("kernel=" + "x" * 10_000 + "\ndocker_version=20\0.10\x1b[2J\nos_release:PRETTY_NAME='a\0b'\n")
    assert len(facts.kernel) == 200
    assert facts.docker_version == "20.10[2J"
    assert facts.title == "ab"
    assert parse("init_system=mine\n")[0].init is InitSystem.SYSVINIT
    assert len(parse("x\n" * 10_000_000)[1]) == 0


@pytest.mark.parametrize("version", ["\u00b2", "9" * 5000, "12\u00b2"])
def test_a_strange_version_is_no_version(version: str) -> None:
    with pytest.raises(Problem) as caught:
        recognize(f"ID=ubuntu\nVERSION_ID={version}\nPRETTY_NAME={'x' * 5000}\n")
    assert caught.value.code == "servers.distribution_unsupported"
    assert len(caught.value.title) < 300


def test_enough_is_enough() -> None:
    facts, os_release = parse(ANSWER)
    distribution, found = check_requirements(facts, os_release)
    assert distribution.id == "debian"
    assert found == []


def test_less_than_recommended_is_a_warning() -> None:
    facts, _ = parse(ANSWER)
    small = replace(facts, cpu_count=1, memory_megabytes=1024, disk_total_megabytes=20_000)
    assert warnings(small) == [
        "1 CPU core: 2 or more are recommended.",
        "1024 MB of memory: 4 GB or more are recommended.",
        "19 GB of disk: 80 GB or more are recommended.",
    ]
    sold_as_4_gigabytes = replace(facts, memory_megabytes=3_789, cpu_count=2, disk_total_megabytes=78_000)
    assert warnings(sold_as_4_gigabytes) == []


@pytest.mark.parametrize(
    ("field", "path"), [("disk_free_megabytes", "/opt/oecsh"), ("docker_disk_free_megabytes", "/var/lib/docker")]
)
def test_too_little_disk_is_refused(field: str, path: str) -> None:
    facts, os_release = parse(ANSWER)
    with pytest.raises(Problem) as caught:
        check_requirements(replace(facts, **{field: 5 * 1024 - 1}), os_release)
    assert caught.value.code == "servers.disk_too_small"
    assert path in caught.value.title
    assert check_requirements(replace(facts, **{field: 5 * 1024}), os_release)


def test_other_processors_are_refused() -> None:
    facts, os_release = parse(ANSWER)
    with pytest.raises(Problem) as caught:
        check_requirements(replace(facts, architecture="armv7l"), os_release)
    assert caught.value.code == "servers.architecture_unsupported"
