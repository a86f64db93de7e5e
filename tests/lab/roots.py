"""The file systems of the lab's servers: a Debian made once by debootstrap, and a layer with Docker on top of it.

Both live in the cache and are never written to again: a server puts a layer of its own above them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from images.mirrors import find_mirrors
from tests.lab.commands import execute, file_lock
from tests.lab.machine_apt import SUITE, configure_apt
from tests.lab.paths import PACKAGE, roots_directory

BASE_PACKAGES = ("openssh-server", "sudo", "iproute2", "iptables", "procps", "ca-certificates", "tini", "kmod",
                 "busybox-static")  # fmt: skip
DOCKER_PACKAGES = ("docker.io",)
RECIPE = "4"
"""Raise it when the way a root is made changes: the cache is made anew."""


def layers(*, docker: bool) -> list[Path]:
    """The finished layers for a server, topmost first; made on the first call (about a minute)."""
    with file_lock(roots_directory() / "lock"):
        base = _ensure("base", BASE_PACKAGES, _make_base)
        if not docker:
            return [base]
        return [_ensure("docker", (*BASE_PACKAGES, *DOCKER_PACKAGES), lambda target: _make_docker(target, base)), base]


def _ensure(name: str, packages: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    key = hashlib.sha256(repr((SUITE, RECIPE, packages)).encode()).hexdigest()[:12]
    finished = roots_directory() / f"{SUITE}-{name}-{key}"
    if not finished.exists():
        for old in roots_directory().glob(f"{SUITE}-{name}-*"):
            if old.suffix == ".part":
                shutil.rmtree(old)
        unfinished = finished.with_suffix(".part")
        unfinished.mkdir()
        make(unfinished)
        unfinished.rename(finished)
    return finished


def _make_base(target: Path) -> None:
    included = ",".join(BASE_PACKAGES)
    archive = find_mirrors().archive
    execute(["debootstrap", "--variant=minbase", f"--include={included}", SUITE, target, archive], timeout=600)
    configure_apt(target)
    # The roots of this machine's trust become the server's; the package lists come from its archives.
    execute(["chroot", target, "update-ca-certificates"], timeout=120)
    execute(["chroot", target, "apt-get", "update", "-q"], timeout=300)
    execute(["chroot", target, "apt-get", "clean"])
    for key in (target / "etc/ssh").glob("ssh_host_*"):
        key.unlink()  # every server makes its own
    # Debian's start script for Docker would otherwise mount hierarchies that this machine does not use.
    (target / "etc/fstab").write_text("cgroup /sys/fs/cgroup tmpfs defaults 0 0\n")
    boot = target / "usr/local/sbin/lab-boot"
    shutil.copyfile(PACKAGE / "boot.sh", boot)
    boot.chmod(0o755)


def _make_docker(target: Path, base: Path) -> None:
    """Install Docker in a layer above the base: `target` ends up with only what differs."""
    work, mounted = target.with_suffix(".work"), target.with_suffix(".root")
    for directory in (work, mounted):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
    script = PACKAGE / "install.sh"
    execute(["unshare", "--mount", "--propagation", "private", "sh", script,
             base, target, work, mounted, *DOCKER_PACKAGES], timeout=600)  # fmt: skip
    for directory in (work, mounted):
        shutil.rmtree(directory)
