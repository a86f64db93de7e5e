"""What the demo and the tests need before they start: packages, images, the front end; kept between runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from oecsh.embedded.progress import Background, say

ROOT = Path(__file__).resolve().parent.parent.parent


def ensure_images(*, publish: bool = False) -> None:
    """A Docker engine that answers, and every image; with `publish` in the local registry too."""
    command = [sys.executable, "-m", "images", "ensure", *(["--push"] if publish else [])]
    if subprocess.run(command, check=False, cwd=ROOT).returncode:
        raise RuntimeError("the images could not be prepared; what went wrong stands above")


def prepare_tests() -> int:
    """Prepares the tests; returns the exit code for the shell. Without root the lab's tests are left out later on."""
    from oecsh.embedded.frontend import build_frontend

    front_end = Background("Front end", build_frontend)
    try:
        if os.geteuid() == 0:
            from images.packages import ensure_purpose

            ensure_purpose("lab", "browser")
            ensure_images(publish=True)
        front_end.wait()
    except Exception as error:
        say(f"The tests could not be prepared: {error}")
        return 1
    return 0
