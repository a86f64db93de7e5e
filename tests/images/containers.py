"""Looking at containers that a test started."""

from __future__ import annotations

import time
from collections.abc import Callable

from docker.models.containers import Container

Start = Callable[..., Container]


def address_of(container: Container) -> str:
    """The container's address in its network."""
    container.reload()
    (settings,) = container.attrs["NetworkSettings"]["Networks"].values()
    return settings["IPAddress"]


def wait_until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Waits until `holds()` is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)


def output_of(container: Container) -> tuple[int, str]:
    """The exit status and everything it printed, once it has ended."""
    status = container.wait(timeout=60)["StatusCode"]
    return status, container.logs().decode()
