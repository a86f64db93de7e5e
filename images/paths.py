"""Where images, logs and registries keep their files: outside the checkout, so that every clone shares them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

RECIPES = Path(__file__).parent / "recipes"


def cache_folder(*parts: str) -> Path:
    """The cache's folder `parts` (`$OECSH_CACHE`, else `~/.cache/oecsh`), made when it is not there."""
    root = os.environ.get("OECSH_CACHE") or Path.home() / ".cache" / "oecsh"
    folder = Path(root).joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Lets one process at a time do `name`; the others wait. The lock goes with its process, however that ends."""
    with (cache_folder("locks") / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
