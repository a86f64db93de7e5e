"""Images from elsewhere and for elsewhere: the Docker Hub, the local registry, and one file for a place without any."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import requests
from docker.errors import APIError, ImageNotFound

from images.builder import build, is_current
from images.catalog import RECIPE_LABEL, Image
from images.errors import ImagesError
from images.progress import Progress
from images.registry import PORT, ensure_registry, push

_HUB = "https://registry-1.docker.io/v2/"
_CHUNK = 1024 * 1024


def hub_answers() -> bool:
    """Whether the Docker Hub can be reached, and quickly (3 seconds)."""
    try:
        answer = requests.get(_HUB, timeout=3)
    except requests.RequestException:
        return False
    return answer.headers.get("Docker-Distribution-Api-Version", "").startswith("registry/2")


def is_present(client: docker.DockerClient, image: Image) -> bool:
    """Whether the engine holds `image`: as its recipe describes it, or the original from a registry."""
    try:
        labels = client.images.get(image.name).labels
    except ImageNotFound:
        return False
    return RECIPE_LABEL not in labels or is_current(client, image)


def ensure(client: docker.DockerClient, images: list[Image]) -> None:
    """Makes sure that the engine holds `images`: what is there stays, else it is pulled, else it is built."""
    missing = [image for image in images if not is_present(client, image)]
    if not missing:
        return
    if hub_answers():
        missing = pull(client, missing)
    build(client, missing)


def pull(client: docker.DockerClient, images: list[Image]) -> list[Image]:
    """Pulls `images` under their usual names and returns those that could not be had."""
    progress = Progress([image.name for image in images])
    left = []
    for image in images:
        progress.say(image.name, "pulling")
        try:
            client.images.pull(image.name.rpartition(":")[0], tag=image.tag)
        except APIError as error:
            progress.say(image.name, f"not pulled: {error.explanation or error}")
            left.append(image)
        else:
            progress.say(image.name, "done")
    return left


def serve(client: docker.DockerClient, images: list[Image], address: str, port: int = PORT) -> str:
    """A read-only registry at `address` that holds `images`, as a URL for `--registry-mirror`.

    Makes the images, pushes what is missing, and starts what does not run; all there: about a second.
    """
    ensure(client, images)
    ensure_registry()
    push_all(client, images)
    return ensure_registry(address, port, read_only=True)


def push_all(client: docker.DockerClient, images: list[Image]) -> None:
    """Puts `images` into the local registry, with progress lines for those that were not there yet."""
    progress = Progress([image.name for image in images])

    def put(image: Image) -> None:
        if push(client, image, say=lambda text: progress.say(image.name, text)):
            progress.say(image.name, "pushed")

    # The engine packs every layer on one processor, so two images at once take half the time.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(put, images))


def save(client: docker.DockerClient, images: list[Image], file: Path) -> int:
    """Writes `images` into one tar archive and returns its size in bytes.

    The archive gets its name only once it is whole. Raises ImagesError for an image that is not there.
    """
    for image in images:
        if not is_present(client, image):
            raise ImagesError(f"{image.name} is not here; build or pull it first.")
    part = file.with_name(f".{file.name}.part")
    address = f"{client.api.base_url}/v{client.api.api_version}/images/get"
    names = [image.name for image in images]
    try:
        with client.api.get(address, params={"names": names}, stream=True) as answer, part.open("wb") as target:
            answer.raise_for_status()
            for chunk in answer.iter_content(_CHUNK):
                target.write(chunk)
        os.replace(part, file)
    except requests.RequestException as error:
        raise ImagesError(f"The engine stopped sending: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def load(client: docker.DockerClient, file: Path, say: Callable[[str], None]) -> None:
    """Reads an archive that `save` wrote. Raises ImagesError if it cannot be read."""
    try:
        with file.open("rb") as source:
            for image in client.images.load(source):
                say(f"loaded {', '.join(image.tags)}")
    except (OSError, APIError, docker.errors.ImageLoadError) as error:
        raise ImagesError(f"{file} could not be loaded: {error}") from error
