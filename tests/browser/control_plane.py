"""The control plane as it runs in earnest: web, worker and beat by the Procfile's own commands, on the database of the
test run."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template

from django.db import connection

from oecsh.embedded.processes import free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 120
STOP_SECONDS = 20


@contextmanager
def control_plane(folder: Path, **settings: str) -> Iterator[str]:
    """Runs until the block ends; gives the portal's address. `settings` are environment variables of the processes,
    their logs lie in `folder`."""
    port = str(free_port())
    portal = f"http://127.0.0.1:{port}"
    own = {
        "DJANGO_SETTINGS_MODULE": "tests.browser.process_settings",
        "TEST_DATABASE_NAME": connection.settings_dict["NAME"],
        "RUN_DIRECTORY": str(folder),
        "WEB_HOST": "127.0.0.1",
        "WEB_PORT": port,
        "PORTAL_URL": portal,
        "LOG_JSON": "false",
    }
    environment = os.environ | own | settings
    with ExitStack() as stack:
        for line in (ROOT / "Procfile").read_text().splitlines():
            name, _, command = line.partition(":")
            arguments = Template(command).substitute(environment).replace(".venv/bin/python", sys.executable).split()
            stack.enter_context(_running(arguments, environment, folder / f"{name}.log"))
        wait_until(lambda: _answers(portal), what="The start of the portal", patience=START_SECONDS)
        yield portal


def what_they_wrote(folder: Path, lines: int = 40) -> str:
    """The last lines of each process, for the message of a failing test."""
    texts = [f"{path.name}\n" + "\n".join(path.read_text().splitlines()[-lines:]) for path in folder.glob("*.log")]
    return "\n\n".join(texts)


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(portal: str) -> bool:
    try:
        with urllib.request.urlopen(f"{portal}/account/login/", timeout=10) as answer:  # noqa: S310 (our own address)
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
