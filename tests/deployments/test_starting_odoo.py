"""How Odoo starts: two interpreters side by side, of which Odoo adopts the second, and starts it anew when it dies."""

from __future__ import annotations

import ast
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

import apps.deployments
from apps.deployments import services
from apps.environments.models import Environment
from apps.operations.models import OperationStep
from apps.operations.runner import run_operation
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, story

pytestmark = [pytest.mark.lab, pytest.mark.slow]
START = Path(apps.deployments.__file__).parent / "odoo_addons" / "oecsh_scripts" / "start.py"
# Imports what both interpreters share, and tells what of it would be taken before `odoo gevent` replaces it.
IMPORT = """import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
print(sorted({"socket", "ssl", "queue", "concurrent.futures", "http.client"} & set(sys.modules)))
"""
PORT = """import socket
socket.create_connection(("127.0.0.1", 8072), 5).close()
print("open")
"""


@pytest.mark.parametrize("version", ["19.0", "14.0"])
def test_the_second_interpreter_is_adopted_and_replaced(
    cast: Cast, make_environment: Callable[..., Environment], ground: Ground, version: str
) -> None:
    environment = make_environment(version=version, install=["base"])
    deployment = deploy(environment, cast.alice)
    assert deployment.status == "success", story(deployment.operation)
    container = f"{environment.pk}_odoo"

    def inside(*command: str) -> str:
        return ground.machine.run(["docker", "exec", container, *command], check=False).stdout.strip()

    assert inside("python3", "-c", IMPORT, *shared_libraries()) == "[]"
    eventually(lambda: inside("python3", "-c", PORT) == "open")
    assert "gevent" not in commands(inside)
    adopted = evented_pids(ground, container)
    assert len(adopted) == 1
    inside("sh", "-c", f"kill -9 {adopted[0]}")
    eventually(lambda: "gevent" in commands(inside))
    eventually(lambda: inside("python3", "-c", PORT) == "open")
    assert len(evented_pids(ground, container)) == 2


def test_cancelled_while_everything_begins_nothing_stays(
    cast: Cast, make_environment: Callable[..., Environment], ground: Ground
) -> None:
    """Odoo, PostgreSQL and PgBouncer are made side by side then. What comes next starts from nothing."""
    deployment = deploy(make_environment(install=["base"]), cast.alice)
    assert deployment.status == "success", story(deployment.operation)
    environment = make_environment(install=["base"])
    deployment = services.deploy(environment=environment, user=cast.alice)

    def work() -> None:
        try:
            run_operation(deployment.operation_id)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    begun = OperationStep.objects.filter(operation=deployment.operation, name="create_database", status="running")
    eventually(begun.exists)
    services.cancel(deployment=deployment, user=cast.alice)
    thread.join(timeout=120)
    deployment.operation.refresh_from_db()
    assert deployment.operation.status == "cancelled", story(deployment.operation)
    assert not deployment.operation.needs_attention
    left = ground.machine.run(["docker", "ps", "-a", "--format", "{{.Names}}"]).stdout.split()
    assert [name for name in left if name.startswith(str(environment.pk))] == []
    environment.refresh_from_db()
    again = deploy(environment, cast.alice)
    assert again.status == "success", story(again.operation)


def shared_libraries() -> list[str]:
    """The names in LIBRARIES of start.py, which runs when it is imported."""
    for node in ast.parse(START.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "LIBRARIES":
            return ast.literal_eval(node.value.func.value).split()
    raise AssertionError("start.py shares no libraries.")


def commands(inside: Callable[..., str]) -> list[str]:
    """Every word of every command line in the container."""
    return inside("sh", "-c", "cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' '\\n'").split("\n")


def evented_pids(ground: Ground, container: str) -> list[str]:
    """The processes that said that they serve websockets, the oldest first."""
    result = ground.machine.run(["sh", "-c", f"docker logs {container} 2>&1"])
    return re.findall(r" (\d+) INFO .*Evented Service", result.stdout)


def eventually(holds: Callable[[], Any], seconds: float = 60) -> None:
    """Raises AssertionError where it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
