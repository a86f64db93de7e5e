"""The Docker engine of this machine: an existing one is used as it is, otherwise Debian's is started.

Nothing here needs systemd, and an engine that answers is never restarted.
"""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from images import daemons
from images.errors import ImagesError
from images.packages import ensure_purpose
from images.paths import cache_folder, locked

REGISTRY_MIRROR = "http://127.0.0.1:5000"
# Many small networks, one per environment: the engine's own pools are used up after 31.
_NETWORKS = "base=172.16.0.0/12,size=26"
_START_SECONDS = 60
_SYSTEM_CONTAINERD = Path("/run/containerd/containerd.sock")


@dataclass(frozen=True)
class EnginePlace:
    """Where an engine keeps its files, and how it is started; the default is the machine's own engine.

    launcher: words before `dockerd`, such as `("nsenter", "--net=/run/netns/one")`. A second engine needs a
        network namespace or at least a bridge of its own: two cannot share docker0, and with `--bridge none`
        an engine removes docker0 even while another one uses it.
    options: further words after it.
    """

    name: str = "dockerd"
    socket: Path = Path("/var/run/docker.sock")
    pid_file: Path = Path("/var/run/docker.pid")
    state: Path = Path("/var/run/docker")
    data: Path = Path("/var/lib/docker")
    mirror: str = REGISTRY_MIRROR
    launcher: tuple[str, ...] = ()
    options: tuple[str, ...] = ("--default-address-pool", _NETWORKS)
    log: Path | None = field(default=None)

    @property
    def log_file(self) -> Path:
        """Where the engine's own messages go."""
        return self.log or cache_folder("log") / f"{self.name}.log"

    def command(self) -> list[str]:
        """The command line that starts this engine."""
        files = ["--pidfile", str(self.pid_file), "--exec-root", str(self.state), "--data-root", str(self.data)]
        mirror = ["--registry-mirror", self.mirror] if self.mirror else []
        return [*self.launcher, "dockerd", "--host", f"unix://{self.socket}", *files, *mirror, *self.options]


MACHINE = EnginePlace()


def connect(place: EnginePlace = MACHINE) -> docker.DockerClient | None:
    """A client of the engine, or None if no engine answers. `DOCKER_HOST` goes before the machine's own socket."""
    try:
        if place == MACHINE and os.environ.get("DOCKER_HOST"):
            client = docker.from_env(timeout=600)
        else:
            client = docker.DockerClient(base_url=f"unix://{place.socket}", timeout=600)
        client.ping()
    except (DockerException, requests.RequestException):
        return None
    return client


def ensure_engine(place: EnginePlace = MACHINE) -> docker.DockerClient:
    """A client of an engine that answers; starts one, detached, where none does.

    It outlives the caller, and a second call finds it. What a killed machine left behind (process ids,
    sockets, a containerd of its own) is cleared first. Raises ImagesError where it cannot be had.
    """
    client = connect(place)
    if client:
        return client
    if place == MACHINE and os.environ.get("DOCKER_HOST"):
        raise ImagesError(f"No Docker engine answers at {os.environ['DOCKER_HOST']} (the variable DOCKER_HOST).")
    if os.geteuid() != 0:
        raise ImagesError(
            f"No Docker engine answers at {place.socket}, and only root can start one. "
            "If one runs, this user has to be in the group docker."
        )
    with locked(f"engine-{place.name}"):
        client = connect(place) or _start(place)
    return client


def stop_engine(place: EnginePlace = MACHINE) -> bool:
    """Ends the engine if it was started here (containers end with it); says whether it was."""
    mark = _mark(place)
    pid = daemons.pid_in(place.pid_file, "dockerd")
    ours = pid is not None and daemons.pid_in(mark, "dockerd") == pid
    mark.unlink(missing_ok=True)
    return daemons.stop(place.pid_file, "dockerd", seconds=90) if ours else False


def _mark(place: EnginePlace) -> Path:
    """The file that says which engine was started here."""
    return cache_folder("engines") / f"{place.name}.pid"


def _start(place: EnginePlace) -> docker.DockerClient:
    ensure_purpose("engine")
    if daemons.pid_in(place.pid_file, "dockerd"):
        return _wait_for_other(place)
    _clear_leftovers(place)
    place.data.mkdir(parents=True, exist_ok=True)
    pid = daemons.start(
        place.command(),
        log=place.log_file,
        answers=lambda: connect(place) is not None,
        seconds=_START_SECONDS,
        pid_file=None,
    )
    _mark(place).write_text(f"{daemons.pid_in(place.pid_file, 'dockerd') or pid}\n")
    client = connect(place)
    if client is None:
        raise ImagesError(f"The engine answered once and then no more; see {place.log_file}.")
    return client


def _wait_for_other(place: EnginePlace) -> docker.DockerClient:
    """Another engine is just starting up: give it the time that ours would get."""
    with contextlib.suppress(TimeoutError):
        return daemons.wait_for(lambda: connect(place), _START_SECONDS)
    pid = daemons.pid_in(place.pid_file, "dockerd")
    raise ImagesError(f"A Docker engine runs (process {pid}) but does not answer at {place.socket}; end it first.")


def _clear_leftovers(place: EnginePlace) -> None:
    """Removes what would keep a new engine from starting after the last one was killed.

    dockerd refuses to start when its pid file names any living process, waits for a containerd whose pid
    file names one, and waits for the system's containerd when there is as much as a socket of it.
    """
    place.pid_file.unlink(missing_ok=True)
    containerd = place.state / "containerd" / "containerd.pid"
    if daemons.pid_in(containerd, "containerd") is None:
        containerd.unlink(missing_ok=True)
    if place.socket.is_socket():
        place.socket.unlink()
    if _SYSTEM_CONTAINERD.is_socket() and not _listens(_SYSTEM_CONTAINERD):
        _SYSTEM_CONTAINERD.unlink()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
