"""The running demo as the benchmarks use it: its settings, its people, and environments made on its server.

Everything goes through the product's own services, as in `oecsh/embedded/demo_job.py`, and is worked on by the demo's
own worker. What a benchmark makes is destroyed and purged afterwards.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oecsh.embedded import control_plane
from tests.bench.measurement import ROOT, Measurement, NotMeasured

if TYPE_CHECKING:
    from apps.environments.models import Environment
    from apps.operations.models import Operation
    from apps.projects.models import Project

SETTINGS = "oecsh.settings.embedded"
POLL_SECONDS = 0.02
OPERATION_SECONDS = 900
STEPS_KEPT = control_plane.RUN_DIRECTORY / "bench-steps.json"


def on_demo(function: Callable[[], list[Measurement]]) -> Callable[[], list[Measurement]]:
    """Runs a benchmark in a process of its own which has the settings and the database of the demo."""

    @functools.wraps(function)
    def run() -> list[Measurement]:
        if os.environ.get("DJANGO_SETTINGS_MODULE") == SETTINGS:
            return function()
        if control_plane.supervisor_pid() is None:
            raise NotMeasured("The demo does not run: start it by `make demo`.")
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "answer.json"
            command = [sys.executable, "-m", "tests.bench.demo", function.__module__, function.__name__, str(answer)]
            if subprocess.run(command, check=False, cwd=ROOT).returncode:
                raise NotMeasured("It failed; what happened stands above.")
            return [Measurement(**row) for row in json.loads(answer.read_text())]

    return run


class Demo:
    """Acme's server in the demo, and a project for the benchmark on it."""

    def __init__(self) -> None:
        from apps.accounts.models import User
        from apps.orgs.models import Organization

        facts = json.loads((control_plane.RUN_DIRECTORY / "demo.json").read_text())
        self.lab = json.loads((control_plane.RUN_DIRECTORY / "demo-lab.json").read_text())
        self.portal_url, self.email, self.password = (facts[name] for name in ("portal_url", "email", "password"))
        self.user = User.objects.get(email=self.email)
        self.organization = Organization.objects.get(slug="acme")
        self.server = self.organization.servers.get(address="127.0.0.1", port=int(self.lab["ssh_port"]))

    @contextlib.contextmanager
    def project(self, *, with_repository: bool) -> Iterator[Project]:
        """A project on Odoo 19.0, with the demo's repository or with none; gone afterwards."""
        from apps.projects.services import create_project, delete_project

        project = create_project(
            organization=self.organization,
            name=f"Benchmark {time.time_ns() % 10**9}",
            odoo_version="19.0",
            actor=self.user,
            repository_url=self.lab["repository_url"] if with_repository else "",
        )
        try:
            yield project
        finally:
            delete_project(project=project, confirmation=project.slug, actor=self.user)

    @contextlib.contextmanager
    def environment(self, project: Project) -> Iterator[Environment]:
        """A development environment that was not deployed yet; destroyed and purged afterwards."""
        from apps.environments.services import create_environment

        environment = create_environment(
            project=project, environment_type="development", server=self.server, actor=self.user
        )
        try:
            yield environment
        finally:
            self._remove(environment)

    def _remove(self, environment: Environment) -> None:
        from apps.environments.actions import destroy_environment, request_purge
        from apps.operations.services import active_for, cancel

        active = active_for(environment.lock_key)
        if active is not None:
            cancel(operation=active, user=self.user)
            wait_until_over(active)
        environment.refresh_from_db()
        completed(destroy_environment(environment=environment, confirmation=environment.name, actor=self.user))
        environment.refresh_from_db()
        completed(request_purge(environment=environment, actor=self.user))


def wait_until_over(operation: Operation) -> Operation:
    """Waits for the worker. Raises TimeoutError."""
    deadline = time.monotonic() + OPERATION_SECONDS
    while time.monotonic() < deadline:
        operation.refresh_from_db()
        if operation.is_finished:
            return operation
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{operation.title} was not over after {OPERATION_SECONDS} s.")


def completed(operation: Operation) -> Operation:
    """Waits for the good end of an operation. Raises RuntimeError with its error and last lines."""
    wait_until_over(operation)
    if operation.status != "completed":
        lines = "\n".join(line.text for line in operation.lines.order_by("-sequence")[:20][::-1])
        raise RuntimeError(f"{operation.title} {operation.status}: {operation.error}\n{lines}")
    return operation


def seconds_of_steps(operation: Operation) -> dict[str, float]:
    """How long each step took that was run."""
    steps = operation.steps.exclude(started_at=None).exclude(finished_at=None)
    return {step.name: round((step.finished_at - step.started_at).total_seconds(), 3) for step in steps}


def keep_steps(name: str, rows: list[dict[str, Any]]) -> None:
    """Keeps the times of the steps beside the measurements, in `.run/bench-steps.json`."""
    known = json.loads(STEPS_KEPT.read_text()) if STEPS_KEPT.exists() else {}
    STEPS_KEPT.write_text(json.dumps(known | {name: rows}, indent=2) + "\n")


def progress(text: str) -> None:
    """One line, with the machine's load, because a figure means little without it."""
    print(f"   {text}   [load {os.getloadavg()[0]:.1f}]", flush=True)


def main() -> int:
    """`python -m tests.bench.demo MODULE FUNCTION FILE`: runs one benchmark and writes its measurements to the file."""
    module, function, answer = sys.argv[1:]
    control_plane.load_environment()
    import importlib

    import django

    django.setup()
    measurements = getattr(importlib.import_module(module), function)()
    Path(answer).write_text(json.dumps([asdict(measurement) for measurement in measurements]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
