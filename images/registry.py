"""The local registry: Debian's `docker-registry`, which the lab's servers use as their mirror of the Docker Hub.

Images lie in it under the names that the Hub gives them (`library/odoo`), so that `docker pull odoo:19.0`
is satisfied from here without a change on the puller's side.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import docker
import requests

from images import daemons
from images.catalog import Image
from images.errors import ImagesError
from images.packages import ensure_purpose
from images.paths import cache_folder, locked

PORT = 5000
_PROGRAM = "docker-registry"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def registry_answers(address: str = "127.0.0.1", port: int = PORT) -> bool:
    """Whether something at the address speaks the registry's protocol."""
    try:
        answer = requests.get(f"http://{address}:{port}/v2/", timeout=5)
    except requests.RequestException:
        return False
    return answer.headers.get("Docker-Distribution-Api-Version", "").startswith("registry/2")


def ensure_registry(address: str = "127.0.0.1", port: int = PORT, *, read_only: bool = False) -> str:
    """A registry that answers at the address, as a URL; starts one, detached, where none does.

    All registries started here show the same images. A lab with networks of its own asks for a second one,
    `read_only`, at its bridge's address: nobody else on the network can reach either. Raises ImagesError
    where it cannot be had.
    """
    url = f"http://{address}:{port}"
    if registry_answers(address, port):
        return url
    with locked("registry"):
        if not registry_answers(address, port):
            ensure_purpose("registry")
            _start(address, port, read_only=read_only)
    return url


def stop_registry(address: str = "127.0.0.1", port: int = PORT) -> bool:
    """Ends the registry at the address if it was started here; says whether it was. The images stay."""
    return daemons.stop(_pid_file(address, port), _PROGRAM)


def _pid_file(address: str, port: int) -> Path:
    return cache_folder("registries") / f"{address}-{port}.pid"


def _start(address: str, port: int, *, read_only: bool) -> None:
    # One that runs but does not answer is of no use to anybody.
    stop_registry(address, port)
    configuration = cache_folder("registries") / f"{address}-{port}.yml"
    configuration.write_text(_configuration(address, port, read_only=read_only))
    daemons.start(
        [_PROGRAM, "serve", str(configuration)],
        log=cache_folder("log") / f"registry-{address}-{port}.log",
        answers=lambda: registry_answers(address, port),
        seconds=20,
        pid_file=_pid_file(address, port),
    )


def _configuration(address: str, port: int, *, read_only: bool) -> str:
    """The registry's configuration, without a cache: two registries over one folder must not remember two truths."""
    return f"""version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: {cache_folder("registry")}
  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: false
    readonly:
      enabled: {"true" if read_only else "false"}
http:
  addr: {address}:{port}
  headers:
    X-Content-Type-Options: [nosniff]
"""


def is_pushed(client: docker.DockerClient, image: Image, *, port: int = PORT) -> bool:
    """Whether the local registry holds exactly the image that the engine holds under this name."""
    url = f"http://127.0.0.1:{port}/v2/{image.repository}/manifests/{image.tag}"
    try:
        answer = requests.get(url, headers={"Accept": _MANIFEST}, timeout=10)
    except requests.RequestException:
        return False
    if answer.status_code != requests.codes.ok:
        return False
    return answer.json().get("config", {}).get("digest") == client.images.get(image.name).id


def push(
    client: docker.DockerClient, image: Image, *, port: int = PORT, say: Callable[[str], None] | None = None
) -> bool:
    """Puts `image` into the local registry; says whether there was anything to do.

    The engine must run on this machine (it reaches the registry on loopback). Raises ImagesError if it fails.
    """
    if os.environ.get("DOCKER_HOST", "unix:").partition(":")[0] != "unix":
        raise ImagesError("The registry is on this machine's loopback; the engine that DOCKER_HOST names is not.")
    if is_pushed(client, image, port=port):
        return False
    repository = f"127.0.0.1:{port}/{image.repository}"
    client.images.get(image.name).tag(repository, image.tag)
    try:
        _push(client, repository, image.tag, say)
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.images.remove(f"{repository}:{image.tag}")
    return True


def _push(client: docker.DockerClient, repository: str, tag: str, say: Callable[[str], None] | None) -> None:
    if say:
        say("pushing to the local registry")
    for answer in client.api.push(repository, tag=tag, stream=True, decode=True):
        if "error" in answer:
            raise ImagesError(f"{repository}:{tag} could not be pushed: {answer['error']}")
