"""Debian packages: what is there costs nothing, what is missing is installed or named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from images.errors import ImagesError
from images.mirrors import find_mirrors
from images.packages import PURPOSES, ensure_packages, missing_packages

POLICY = Path("/usr/sbin/policy-rc.d")


@pytest.mark.lab
def test_installed_packages_are_left_alone() -> None:
    lists = Path("/var/lib/apt/lists")
    before = lists.stat().st_mtime
    assert ensure_packages(["coreutils", "dpkg"]) == []
    assert lists.stat().st_mtime == before


@pytest.mark.lab
def test_missing_ones_are_named_once_and_in_order() -> None:
    assert missing_packages(["no-such-b", "dpkg", "no-such-a", "no-such-b"]) == ["no-such-b", "no-such-a"]


@pytest.mark.lab
def test_package_that_does_not_exist_is_reported_in_apts_words() -> None:
    policy_before = POLICY.read_bytes() if POLICY.exists() else None
    with pytest.raises(ImagesError, match="Unable to locate package no-such-package"):
        ensure_packages(["no-such-package"])
    assert (POLICY.read_bytes() if POLICY.exists() else None) == policy_before


@pytest.mark.lab
def test_every_package_of_every_purpose_exists() -> None:
    names = sorted({name for purpose in PURPOSES.values() for name in purpose})
    answer = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", *names], capture_output=True, text=True, check=True
    )
    known = {line.split()[1] for line in answer.stdout.splitlines() if line.startswith("Package: ")}
    assert set(names) - known == set()


def test_named_archive_goes_before_the_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", "http://archive.example/debian/")
    monkeypatch.setenv("DEBIAN_SECURITY_MIRROR", "http://archive.example/security")
    arguments = find_mirrors().build_arguments()
    assert arguments["DEBIAN_MIRROR"] == "http://archive.example/debian"
    assert arguments["DEBIAN_SECURITY_MIRROR"] == "http://archive.example/security"


def test_archive_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", "http://me:hunter2@archive.example/debian")
    with pytest.raises(ImagesError) as refusal:
        find_mirrors()
    assert "hunter2" not in str(refusal.value)
