"""A new Odoo as a person makes it with Docker alone: a network, PostgreSQL, `odoo -i base`, start, wait for HTTP 200.

The containers get the CPU and the memory that an environment's own get while it is deployed. Every run of ours has one
by hand beside it: a machine that others use is another one minutes later.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import requests

POSTGRES_IMAGE = "postgres:17"
ODOO_IMAGE = "odoo:19.0"
DATABASE = "bench"
PATIENCE_SECONDS = 600
ENVIRONMENT = {"POSTGRES_USER": "odoo", "POSTGRES_PASSWORD": "by-hand", "POSTGRES_DB": "postgres"}
ENVIRONMENT |= {"HOST": "db", "USER": "odoo", "PASSWORD": "by-hand"}


@dataclass(frozen=True)
class Limits:
    """Cores for each container, and the memory of each in megabytes."""

    cpu: Decimal
    postgres_megabytes: int
    odoo_megabytes: int


def new_odoo(limits: Limits) -> float:
    """Makes one, and takes it away again; the seconds to the first HTTP 200."""
    name = f"oecsh-bench-{os.getpid()}"
    with _cleaned(name):
        started = time.monotonic()
        _docker("network", "create", name)
        _run(name, "db", limits, POSTGRES_IMAGE, is_detached=True)
        _run(name, "install", limits, ODOO_IMAGE, "--", "-d", DATABASE, "-i", "base", "--stop-after-init")
        _run(name, "odoo", limits, ODOO_IMAGE, "--", "-d", DATABASE, is_detached=True)
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        address = _docker("inspect", "--format", template, f"{name}-odoo").strip()
        _wait_for_answer(f"http://{address}:8069/web/login", started)
        return time.monotonic() - started


def _run(name: str, part: str, limits: Limits, image: str, *command: str, is_detached: bool = False) -> None:
    megabytes = limits.postgres_megabytes if part == "db" else limits.odoo_megabytes
    names = [key for key in ENVIRONMENT if key.startswith("POSTGRES_") == (part == "db")]
    variables = [word for key in names for word in ("-e", key)]
    data = [] if part == "db" else ["-v", f"{name}:/var/lib/odoo"]
    mode = ["-d"] if is_detached else ["--rm"]
    network = ["--network", name, "--network-alias", part]
    size = ["--cpus", str(limits.cpu), "--memory", f"{megabytes}m"]
    _docker("run", *mode, "--name", f"{name}-{part}", *network, *size, *variables, *data, image, *command)


def _docker(*arguments: str) -> str:
    result = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        env=os.environ | ENVIRONMENT,
    )
    if result.returncode:
        raise RuntimeError(f"docker {arguments[0]} by hand failed: {result.stderr[-2000:]}")
    return result.stdout


def _wait_for_answer(url: str, started: float) -> None:
    while time.monotonic() < started + PATIENCE_SECONDS:
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=30).status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {PATIENCE_SECONDS} s.")


@contextlib.contextmanager
def _cleaned(name: str) -> Iterator[None]:
    try:
        yield
    finally:
        containers = [f"{name}-{part}" for part in ("odoo", "install", "db")]
        for arguments in (["rm", "-f", "-v", *containers], ["network", "rm", name], ["volume", "rm", name]):
            subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=60)
