"""The Chromium that drives the browser tests: Debian's, installed where it is missing and we may."""

from __future__ import annotations

import os
import shutil
import subprocess

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class BrowserError(Exception):
    """There is no Chromium; the text says what to do."""


def ensure_chromium() -> str:
    """The path of a Chromium. Installs Debian's package as root; raises BrowserError where that does not help."""
    found = _find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*command, "chromium"], env=environment, stdout=subprocess.DEVNULL, timeout=900)
        found = _find()
    if found is None:
        raise BrowserError("The browser tests need Chromium: install the package chromium.")
    return found


def _find() -> str | None:
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)
