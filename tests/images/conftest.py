"""The engine with the images on it, and containers that do not outlive their test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from docker.models.containers import Container
from docker.models.networks import Network

from images.catalog import chosen
from images.engine import ensure_engine
from images.transfer import ensure
from tests.images.containers import Start

_LABEL = "sh.oec.test"


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """This machine's engine, with all images on it."""
    client = ensure_engine()
    ensure(client, chosen([]))
    return client


@pytest.fixture(scope="module")
def network(engine: docker.DockerClient) -> Iterator[Network]:
    """A network of the module's own; what an earlier, killed run left in the engine goes first."""
    _remove_all(engine)
    network = engine.networks.create("oecsh-images-test", labels={_LABEL: "images"})
    yield network
    _remove_all(engine)


@pytest.fixture(scope="module")
def start(engine: docker.DockerClient, network: Network) -> Start:
    """`start(image, command, name=…, environment=…)`: a container in the module's network."""

    def started(image: str, command: list[str] | None = None, **options: Any) -> Container:
        labels = {_LABEL: "images"}
        return engine.containers.run(image, command, detach=True, network=network.name, labels=labels, **options)

    return started


def _remove_all(engine: docker.DockerClient) -> None:
    chosen_ones = {"label": f"{_LABEL}=images"}
    for container in engine.containers.list(all=True, ignore_removed=True, filters=chosen_ones):
        container.remove(force=True, v=True)
    for network in engine.networks.list(filters=chosen_ones):
        network.remove()
