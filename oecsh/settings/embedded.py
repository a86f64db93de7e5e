"""The embedded control plane of `make demo`: secrets and addresses come from the file that oecsh.embedded writes."""

from __future__ import annotations

import os
from pathlib import Path

from environs import Env

RUN_DIRECTORY = Path(os.environ.get("RUN_DIRECTORY") or Path(__file__).resolve().parent.parent.parent / ".run")
Env().read_env(str(RUN_DIRECTORY / "environment"), recurse=False)

from .production import *  # noqa: E402, F403
