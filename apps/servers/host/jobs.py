"""A long command as a container of its own: it goes on when the connection or the worker dies, and whoever comes next
attaches to it again."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import docker.errors
import requests
import urllib3
from docker.models.containers import Container

from apps.core.exceptions import Problem
from apps.operations.exceptions import Cancelled, DeadlineExceeded
from apps.operations.models import Level
from apps.operations.run import Run, SourceLine
from apps.servers.host.job_log import LogReader

if TYPE_CHECKING:
    from docker.types import Mount

    from apps.servers.host.host import Host

LABEL_OPERATION, LABEL_JOB, LABEL_STARTED = "oecsh.operation", "oecsh.job", "oecsh.started"
# A cap, not a rotation: lines of a rotated log are lost to whoever reads it. No job of ours writes this much.
LOG_OPTIONS = {"max-size": "256m", "max-file": "2"}
CPU_PERIOD = 100_000
MOST_PROCESSES = 512
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,60}")
_STOP_SECONDS = 5
_BROKEN_STREAM = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError)
# Not there, or marked for removal.
_GONE = (404, 409)


def run_container_job(
    host: Host,
    run: Run,
    *,
    name: str,
    image: str,
    command: Sequence[str],
    mounts: Sequence[Mount] = (),
    network: str = "none",
    environment: Mapping[str, str] | None = None,
    memory: int | None = None,
    user: str | None = None,
    labels: Mapping[str, str] | None = None,
    line_level: Callable[[str], str] = lambda text: Level.INFO,
    timeout: float = 3600,
    entrypoint: Sequence[str] | None = None,
    working_directory: str | None = None,
    cpu: Decimal | None = None,
    is_confined: bool = False,
) -> int:
    """Runs `command` in a container and returns its exit code; its lines go to the run's log with the level that
    `line_level` gives them. Called again in the same operation with the same `name` (what the job is for), it attaches
    to the container that is there, or returns the exit code that was collected.

    `memory` is in megabytes, `cpu` in cores, `timeout` in seconds from the start of the container; `is_confined` takes
    every capability away, for code that is not ours. On a cancel or at a deadline the container is stopped and removed;
    when the lease or the connection is lost it goes on. Raises Problem `servers.image_missing`,
    `servers.container_failed_to_start`, `servers.container_job_vanished` or `servers.container_job_timed_out`, and
    ConnectionLost.
    """
    job = _Job(host, run, name)
    options = {
        "image": image,
        "command": list(command),
        "mounts": list(mounts),
        "network": network,
        "environment": dict(environment or {}),
        "user": user,
        "entrypoint": None if entrypoint is None else list(entrypoint),
        "working_dir": working_directory,
        "labels": dict(labels or {}),
        **_limits(memory, cpu, is_confined),
    }
    return job.run_to_its_end(options, line_level, timeout)


def _limits(memory: int | None, cpu: Decimal | None, is_confined: bool) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    if memory:
        limits |= {"mem_limit": f"{memory}m", "memswap_limit": f"{memory}m"}
    if cpu is not None:
        limits |= {"cpu_period": CPU_PERIOD, "cpu_quota": int(cpu * CPU_PERIOD)}
    if is_confined:
        limits |= {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "pids_limit": MOST_PROCESSES}
    return limits


def stop_container_job(host: Host, run: Run, *, name: str) -> None:
    """Stops and removes the job of that name, where there is one: for the undo of a step."""
    _Job(host, run, name).stop()


class _Job:
    def __init__(self, host: Host, run: Run, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a job.")
        self.host = host
        self.run = run
        self.key = f"job_{name}"
        self.source = f"job {name}"
        self.container_name = f"oecsh_{run.operation.pk.hex}_{name}"

    def run_to_its_end(self, options: dict[str, Any], line_level: Callable[[str], str], timeout: float) -> int:
        collected = self.collected()
        if collected is not None:
            return collected
        try:
            return self.follow(self.ensure_started(options), line_level, timeout)
        except (Cancelled, DeadlineExceeded):
            self.stop()
            raise

    def collected(self) -> int | None:
        """The exit code, where an earlier attempt of this operation collected it. It was stored before the container
        was removed, so a container that is still there is only a leftover."""
        exit_code = self.run.data.get(self.key)
        if exit_code is not None and (container := self.find()):
            self.remove(container)
        return exit_code

    def find(self) -> Container | None:
        try:
            return self.host.docker.containers.get(self.container_name)
        except docker.errors.NotFound:
            return None

    def ensure_started(self, options: dict[str, Any]) -> Container:
        container = self.find()
        if container is None:
            container = self._create(options)
        elif container.status != "created":
            self.run.debug(f"Attached again to {self.container_name}.")
        if container.status == "created":
            try:
                container.start()
            except docker.errors.APIError as error:
                self.remove(container)
                reason = error.explanation or str(error)
                raise Problem("servers.container_failed_to_start", name=self.container_name, reason=reason) from error
        return container

    def _create(self, options: dict[str, Any]) -> Container:
        labels = options["labels"] | {
            LABEL_OPERATION: str(self.run.operation.pk),
            LABEL_JOB: self.container_name,
            LABEL_STARTED: str(int(time.time())),
        }
        log_config = docker.types.LogConfig(type="json-file", config=LOG_OPTIONS)
        settings = options | {"name": self.container_name, "labels": labels, "log_config": log_config}
        try:
            return self.host.docker.containers.create(**settings)
        except docker.errors.ImageNotFound as error:
            raise Problem("servers.image_missing", image=options["image"], reason="It is not there.") from error
        except docker.errors.APIError as error:
            # 409: the answer to an earlier attempt was lost on the way, the container is there.
            found = self.find() if error.status_code == 409 else None
            if found is None:
                raise Problem(
                    "servers.container_failed_to_start", name=self.container_name, reason=error.explanation
                ) from error
            return found

    def follow(self, container: Container, line_level: Callable[[str], str], timeout: float) -> int:
        """Takes over the log until the container has ended, collects its exit code and removes it."""
        ends_at = int(container.labels.get(LABEL_STARTED, time.time())) + timeout
        while True:
            if time.time() >= ends_at:
                self.stop()
                raise Problem("servers.container_job_timed_out", name=self.container_name, seconds=round(timeout))
            self.take_over_log(container, line_level, ends_at - time.time())
            self.run.check()
            try:
                container.reload()
            except docker.errors.NotFound as error:
                raise Problem("servers.container_job_vanished", name=self.container_name) from error
            state = container.attrs["State"]
            if state["Status"] in ("exited", "dead"):
                return self.collect(container, state, line_level)
            self.run.sleep(0.2)

    def take_over_log(
        self, container: Container, line_level: Callable[[str], str], seconds: float, follow: bool = True
    ) -> bool:
        """Takes over what is new; with `follow` until the container ends, the stream breaks, or `seconds` are over.
        False where somebody has removed the container, or is about to."""
        reader = LogReader.at(self.run.log_position(self.source))
        since = {"since": reader.since} if reader.since else {}
        try:
            stream = container.logs(stream=True, follow=follow, timestamps=True, **since)
        except docker.errors.APIError as error:
            if error.status_code in _GONE:
                return False
            raise
        timer = threading.Timer(max(0.1, seconds), _close, [stream])
        timer.daemon = True
        timer.start()
        try:
            with self.run.on_stop(lambda: _close(stream)):
                for position, text in reader.lines(stream):
                    self.run.log_from(self.source, [SourceLine(position, text, line_level(text))])
        except _BROKEN_STREAM:
            # Closed by us, or the engine hung up: who called looks at the container, and comes back if it still runs.
            # A connection that was cut is ConnectionLost and goes through.
            self.run.check()
        finally:
            timer.cancel()
            _close(stream)
        return True

    def collect(self, container: Container, state: dict[str, Any], line_level: Callable[[str], str]) -> int:
        # The stream may have ended a moment before the last lines were written.
        if not self.take_over_log(container, line_level, seconds=60, follow=False):
            raise Problem("servers.container_job_vanished", name=self.container_name)
        if state.get("OOMKilled"):
            self.run.error("The container ran out of memory and was ended.")
        self.run.flush()
        self.run.remember(**{self.key: state["ExitCode"]})
        self.remove(container)
        return state["ExitCode"]

    def stop(self) -> None:
        container = self.find()
        if container is not None:
            with contextlib.suppress(docker.errors.APIError):
                container.stop(timeout=_STOP_SECONDS)
            self.remove(container)

    def remove(self, container: Container) -> None:
        """Removes the container with the nameless volumes that its image asked for: they are its own."""
        with contextlib.suppress(docker.errors.NotFound):
            try:
                container.remove(force=True, v=True)
            except docker.errors.APIError as error:
                if error.status_code != 409:  # being removed already
                    raise


def _close(stream: Any) -> None:
    with contextlib.suppress(*_BROKEN_STREAM):
        stream.close()
