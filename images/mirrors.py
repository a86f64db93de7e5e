"""Where this machine gets its Debian packages from; read at run time and written down nowhere."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from images.errors import ImagesError
from images.packages import refresh_lists

_FORMAT = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"


@dataclass(frozen=True)
class Mirrors:
    """The Debian archive and, where the machine has one, the archive of security updates."""

    archive: str
    security: str = ""

    def build_arguments(self) -> dict[str, str]:
        """The build arguments of the recipes. The predefined ones for proxies leave no trace in an image."""
        arguments = {"DEBIAN_MIRROR": self.archive}
        if self.security:
            arguments["DEBIAN_SECURITY_MIRROR"] = self.security
        for scheme in ("http", "https"):
            proxy = _apt_setting(f"Acquire::{scheme}::Proxy") or os.environ.get(f"{scheme}_proxy", "")
            if proxy and proxy != "DIRECT":
                arguments[f"{scheme}_proxy"] = proxy
        return arguments


def find_mirrors() -> Mirrors:
    """The archives that apt is set up with; `DEBIAN_MIRROR` and `DEBIAN_SECURITY_MIRROR` go before them.

    Raises ImagesError where there is none, and for an address that holds a password: it would stay
    behind in the images' history (apt's own auth.conf.d is the place for it).
    """
    archive = os.environ.get("DEBIAN_MIRROR", "")
    security = os.environ.get("DEBIAN_SECURITY_MIRROR", "")
    indexes = _indexes()
    if not any(origin for origin, *_ in indexes) and os.geteuid() == 0 and not archive:
        # Whose archive an address is, apt knows only once it has fetched the lists.
        refresh_lists()
        indexes = _indexes()
    for origin, label, component, address in indexes:
        if origin != "Debian" or component != "main":
            continue
        if label == "Debian-Security":
            security = security or address
        elif label == "Debian":
            archive = archive or address
    if not archive:
        raise ImagesError("apt on this machine knows no Debian archive. Name one in the variable DEBIAN_MIRROR.")
    for address in (archive, security):
        if urlsplit(address).password:
            raise ImagesError("The Debian archive's address holds a password; set DEBIAN_MIRROR to one without.")
    return Mirrors(archive.rstrip("/"), security.rstrip("/"))


def _indexes() -> list[tuple[str, ...]]:
    """Origin, label, component and address of each index that apt has fetched."""
    try:
        command = ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return [tuple(line.split("|")) for line in answer.stdout.splitlines() if line.count("|") == 3]


def _apt_setting(name: str) -> str:
    try:
        command = ["apt-config", "shell", "VALUE", name]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip().removeprefix("VALUE=").strip("'\"")
