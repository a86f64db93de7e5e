"""The embedded control plane of `make demo`: secrets and addresses come from the file that oecsh.embedded writes."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import load_dotenv

RUN_DIRECTORY = Path(os.environ.get("RUN_DIRECTORY") or Path(__file__).resolve().parent.parent.parent / ".run")
# The file goes before the environment: a supervisor that started earlier hands down older values.
load_dotenv(RUN_DIRECTORY / "environment", override=True, interpolate=False)

from .production import *  # noqa: E402, F403
