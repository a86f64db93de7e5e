"""Where the lab keeps its things. One folder per slot, so that two sessions on one machine never share a server."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parent.parent


def cache_directory() -> Path:
    """`$OECSH_CACHE`, or `~/.cache/oecsh`; made when missing."""
    directory = Path(os.environ.get("OECSH_CACHE") or Path.home() / ".cache" / "oecsh")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def roots_directory() -> Path:
    """The file systems that servers are layered on; shared by all slots, never written to once finished."""
    return _made(cache_directory() / "lab" / "roots")


def slot_directory(slot: int) -> Path:
    """Everything that belongs to one slot: servers, daemons, their logs, process marks and keys."""
    return _made(cache_directory() / "lab" / "slots" / str(slot))


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    return directory
