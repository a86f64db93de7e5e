"""What start.py does with the process that is to serve websockets, beside an Odoo that has no more than its hook."""

from __future__ import annotations

import ast
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import apps.deployments

START = Path(apps.deployments.__file__).parent / "odoo_addons" / "oecsh_scripts" / "start.py"


@pytest.fixture
def script() -> dict[str, Any]:
    """The functions of the script, which would run it when it is imported."""
    tree = ast.parse(START.read_text())
    tree.body.pop()
    names: dict[str, Any] = {}
    exec(compile(tree, str(START), "exec"), names)  # noqa: S102
    return names


@pytest.fixture
def server() -> Iterator[Any]:
    """`odoo.service.server` with a PreforkServer that says when it starts a process of its own."""

    class PreforkServer:
        long_polling_pid: int | None = None

        def long_polling_spawn(self) -> None:
            self.long_polling_pid = -1

    modules = {name: types.ModuleType(name) for name in ("odoo", "odoo.service", "odoo.service.server")}
    vars(modules["odoo.service.server"])["PreforkServer"] = PreforkServer
    sys.modules |= modules
    yield PreforkServer()
    for name in modules:
        del sys.modules[name]


def test_one_that_lives_is_taken_once(script: dict[str, Any], server: Any) -> None:
    companion = subprocess.Popen(["sleep", "30"])
    try:
        script["offer"](companion.pid)
        server.long_polling_spawn()
        assert server.long_polling_pid == companion.pid
        server.long_polling_spawn()
        assert server.long_polling_pid == -1
    finally:
        companion.kill()
        companion.wait()


@pytest.mark.parametrize("is_noticed", [False, True])
def test_one_that_has_died_is_replaced(script: dict[str, Any], server: Any, is_noticed: bool) -> None:
    companion = subprocess.Popen(["true"])
    if is_noticed:
        companion.wait()  # as Odoo's own loop does, before it starts anything
    else:
        while Path(f"/proc/{companion.pid}/stat").read_text().split()[2] != "Z":
            pass
    script["offer"](companion.pid)
    server.long_polling_spawn()
    assert server.long_polling_pid == -1
    companion.poll()


def test_without_the_hook_it_goes(script: dict[str, Any], server: Any) -> None:
    del type(server).long_polling_spawn
    companion = subprocess.Popen(["sleep", "30"])
    script["offer"](companion.pid)
    assert companion.wait(timeout=10) == -9


@pytest.mark.parametrize(("text", "wanted"), [("workers = 2", True), ("workers = 0", False), ("", False), ("[", False)])
def test_whether_there_are_workers(
    script: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wanted: bool
) -> None:
    (tmp_path / "odoo.conf").write_text(f"[options]\n{text}\n")
    monkeypatch.setattr(sys, "argv", ["odoo", f"--config={tmp_path}/odoo.conf"])
    assert script["has_workers"]() is wanted
