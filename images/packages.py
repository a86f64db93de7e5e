"""Debian packages on this machine: which purpose needs which, and installing those that are missing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from images.errors import ImagesError
from images.paths import locked

# One list per purpose; whoever needs a package adds it here.
PURPOSES: dict[str, tuple[str, ...]] = {
    "engine": ("docker.io", "iptables", "ca-certificates"),
    "build": ("debootstrap", "eatmydata"),
    "registry": ("docker-registry",),
    "lab": ("iproute2", "iptables", "openssh-server", "openssl", "git", "pebble", "knot", "knot-dnsutils"),
    "browser": ("chromium",),
}

_POLICY = Path("/usr/sbin/policy-rc.d")
_RULE = "#!/bin/sh\n# Here only while OEC.SH installs packages.\nexit 101\n"


def missing_packages(names: Iterable[str]) -> list[str]:
    """Those of `names` which dpkg does not hold as installed, in the order given and each once."""
    wanted = list(dict.fromkeys(names))
    try:
        answer = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *wanted],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise ImagesError(
            "This machine has no dpkg: only Debian and its relatives can be set up by themselves. "
            f"Install what corresponds to these packages: {', '.join(wanted)}."
        ) from None
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def ensure_packages(names: Iterable[str]) -> list[str]:
    """Installs those of `names` that are missing and says which they were.

    Asks nothing, starts no service, and refreshes apt's lists only when something has to be installed.
    Raises ImagesError where that takes root, and when apt fails (with apt's own last lines).
    """
    wanted = list(names)
    if not missing_packages(wanted):
        return []
    if os.geteuid() != 0:
        needed = " ".join(missing_packages(wanted))
        raise ImagesError(f"These packages are missing and only root can install them: apt-get install {needed}")
    with locked("apt"):
        missing = missing_packages(wanted)
        if missing:
            _install(missing)
    return missing


def ensure_purpose(*purposes: str) -> list[str]:
    """Installs what the named purposes (keys of `PURPOSES`) need; see `ensure_packages`."""
    return ensure_packages(name for purpose in purposes for name in PURPOSES[purpose])


def refresh_lists() -> None:
    """Fetches apt's lists anew. Raises ImagesError when that fails."""
    with locked("apt"):
        _apt("update", "-qq")


def _install(missing: list[str]) -> None:
    print(f"Installing {', '.join(missing)}", flush=True)
    own_rule = _forbid_services()
    try:
        _apt("update", "-qq")
        _apt("install", "-y", "-qq", "--no-install-recommends", *missing)
    finally:
        if own_rule:
            _POLICY.unlink(missing_ok=True)


def _forbid_services() -> bool:
    """Keeps packages from starting their services meanwhile, unless the machine has a rule of its own for that.

    A rule that an earlier, killed run left behind is known by its text and taken over.
    """
    if _POLICY.exists() and _POLICY.read_text() != _RULE:
        return False
    _POLICY.write_text(_RULE)
    _POLICY.chmod(0o755)
    return True


def _apt(*arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0", *arguments]
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        said = (outcome.stdout + outcome.stderr).strip().splitlines()
        last_lines = "\n".join(said[-15:])
        raise ImagesError(f"apt-get {arguments[0]} failed with status {outcome.returncode}:\n{last_lines}")
