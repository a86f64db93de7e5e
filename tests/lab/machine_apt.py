"""This machine's own apt settings (mirror, proxy, authorities), read at run time for what the lab makes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from images.mirrors import find_mirrors
from tests.lab.commands import execute

SUITE = "bookworm"
"""Debian 12: the distribution of the lab's servers."""

CERTIFICATES = Path("usr/local/share/ca-certificates")


def configure_apt(root: Path) -> None:
    """Give the file system `root` this machine's archives, apt proxies and own certificate authorities."""
    mirrors = find_mirrors()
    lines = [f"deb {mirrors.archive} {SUITE} main", f"deb {mirrors.archive} {SUITE}-updates main"]
    if mirrors.security:
        lines.append(f"deb {mirrors.security} {SUITE}-security main")
    (root / "etc/apt/sources.list").write_text("\n".join(lines) + "\n")
    (root / "etc/apt/apt.conf.d/90machine").write_text(_network_settings())
    if (Path("/") / CERTIFICATES).is_dir():
        shutil.copytree(Path("/") / CERTIFICATES, root / CERTIFICATES, dirs_exist_ok=True)


def _network_settings() -> str:
    """Proxies and TLS settings as apt itself reports them."""
    dump = execute(["apt-config", "dump"]).stdout.splitlines()
    wanted = re.compile(r"^Acquire::(https?|ftp)::\S*(Proxy|CaInfo|Verify-)\S* ", re.IGNORECASE)
    return "".join(f"{line}\n" for line in dump if wanted.match(line))
