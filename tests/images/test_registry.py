"""The local registry as a mirror of the Docker Hub, in a cache folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker
import pytest
import requests
from docker.errors import ImageNotFound

from images.catalog import chosen
from images.engine import EnginePlace, ensure_engine, stop_engine
from images.errors import ImagesError
from images.registry import ensure_registry, is_pushed, push, registry_answers, stop_registry

pytestmark = pytest.mark.lab
PORT = 5093
SECOND_ADDRESS = "127.0.0.2"
BRIDGE = "oecsh-mirrored"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, engine: docker.DockerClient) -> Iterator[Path]:
    """A cache folder of the test's own; the registries in it are ended with it."""
    folder = Path(tempfile.mkdtemp(prefix="oecsh-registry-", dir="/tmp"))
    monkeypatch.setenv("OECSH_CACHE", str(folder / "cache"))
    yield folder
    for address in ("127.0.0.1", SECOND_ADDRESS):
        stop_registry(address, PORT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bridge() -> Iterator[str]:
    """A bridge for the second engine: it must not get hold of docker0, which the machine's engine uses."""
    subprocess.run(["ip", "link", "delete", BRIDGE], check=False, capture_output=True)
    subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True)
    subprocess.run(["ip", "address", "add", "172.31.255.1/28", "dev", BRIDGE], check=True)
    subprocess.run(["ip", "link", "set", BRIDGE, "up"], check=True)
    yield BRIDGE
    subprocess.run(["ip", "link", "delete", BRIDGE], check=True)


@pytest.fixture
def mirrored_engine(folder: Path, bridge: str) -> Iterator[docker.DockerClient]:
    """An empty engine, such as a lab's server has, which takes the registry at the second address as its mirror."""
    place = EnginePlace(
        name="mirrored",
        socket=folder / "docker.sock",
        pid_file=folder / "docker.pid",
        state=folder / "state",
        data=folder / "data",
        mirror=f"http://{SECOND_ADDRESS}:{PORT}",
        options=("--bridge", bridge, "--iptables=false"),
    )
    yield ensure_engine(place)
    stop_engine(place)


def test_pushed_image_is_pulled_under_its_usual_name(
    engine: docker.DockerClient, folder: Path, mirrored_engine: docker.DockerClient
) -> None:
    (image,) = chosen(["busybox:stable"])
    assert ensure_registry(port=PORT) == f"http://127.0.0.1:{PORT}"
    assert not is_pushed(engine, image, port=PORT)
    assert push(engine, image, port=PORT) is True
    assert push(engine, image, port=PORT) is False
    assert not [tag for tag in engine.images.get(image.name).tags if tag.startswith("127.0.0.1")]

    mirror = ensure_registry(SECOND_ADDRESS, PORT, read_only=True)
    assert requests.post(f"{mirror}/v2/library/busybox/blobs/uploads/", timeout=5).status_code == 405
    pulled = mirrored_engine.images.pull("busybox", tag="stable")
    assert pulled.id == engine.images.get(image.name).id


def test_registry_starts_among_leftovers_and_a_second_call_finds_it(folder: Path) -> None:
    pid_file = folder / "cache" / "registries" / f"127.0.0.1-{PORT}.pid"
    pid_file.parent.mkdir(parents=True)
    pid_file.write_text(f"{os.getpid()}\n")
    ensure_registry(port=PORT)
    first = pid_file.read_text()
    ensure_registry(port=PORT)
    assert pid_file.read_text() == first != f"{os.getpid()}\n"
    assert stop_registry(port=PORT) is True
    assert not registry_answers(port=PORT)
    assert stop_registry(port=PORT) is False


def test_port_that_something_else_has_is_reported(folder: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", PORT), BaseHTTPRequestHandler) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            with pytest.raises(ImagesError, match="address already in use"):
                ensure_registry(port=PORT)
        finally:
            other.shutdown()
            thread.join()


def test_push_without_a_registry_fails_and_leaves_no_tag(engine: docker.DockerClient, folder: Path) -> None:
    (image,) = chosen(["busybox:stable"])
    with pytest.raises(ImagesError, match="could not be pushed"):
        push(engine, image, port=PORT)
    with pytest.raises(ImageNotFound):
        engine.images.get(f"127.0.0.1:{PORT}/library/busybox:stable")
