"""Building what is missing or outdated, as many images side by side as there are processors."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import docker
from docker.errors import APIError, ImageNotFound

from images.bases import build_base
from images.catalog import RECIPE_LABEL, Image, recipe_key, with_bases
from images.errors import ImagesError
from images.mirrors import Mirrors, find_mirrors
from images.packages import ensure_purpose
from images.paths import locked
from images.progress import JobLog, Progress
from images.recipe_build import build_recipe

_SIGN_OF_LIFE_SECONDS = 15
_SPACE_PER_IMAGE = 2 * 1024**3


def is_current(client: docker.DockerClient, image: Image) -> bool:
    """Whether the engine holds `image` as its recipe describes it today."""
    try:
        labels = client.images.get(image.name).labels
    except ImageNotFound:
        return False
    return labels.get(RECIPE_LABEL) == recipe_key(image)


def outdated(client: docker.DockerClient, images: list[Image], *, fresh: bool = False) -> list[Image]:
    """What has to be built so that `images` are current: bases first, and only those that are needed for it."""
    needed: list[Image] = []
    for image in reversed(with_bases(images)):
        asked_for = image in images or any(image in other.bases for other in needed)
        if asked_for and (fresh or not is_current(client, image)):
            needed.append(image)
    return needed[::-1]


def build(client: docker.DockerClient, images: list[Image], *, fresh: bool = False) -> list[Image]:
    """Brings `images` up to date and returns those that were built; an image that is current costs nothing.

    Prints progress. Raises ImagesError when one fails: the others are finished first, and the message
    holds the last lines and the log's path. Two callers at once do the work once.
    """
    if not outdated(client, images, fresh=fresh):
        return []
    with locked("build"):
        todo = outdated(client, images, fresh=fresh)
        if todo:
            _check_space(client, todo)
            ensure_purpose("build")
            _Build(client, todo, find_mirrors(), fresh=fresh).run()
    return todo


def _check_space(client: docker.DockerClient, todo: list[Image]) -> None:
    folder = client.info().get("DockerRootDir", "")
    if not os.path.isdir(folder):
        return  # an engine on another machine
    needed = _SPACE_PER_IMAGE * len([image for image in todo if not image.internal])
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ImagesError(f"Building takes {needed / 1e9:.0f} GB free in {folder}; there are {free / 1e9:.0f} GB.")


class _Build:
    """One run over the images that need it: each starts once its bases stand, the longest chain first."""

    def __init__(self, client: docker.DockerClient, todo: list[Image], mirrors: Mirrors, *, fresh: bool) -> None:
        self._client = client
        self._waiting = sorted(todo, key=lambda image: -_chain_seconds(image, todo))
        self._mirrors = mirrors
        self._fresh = fresh
        self._progress = Progress([image.name for image in todo])
        self._running: dict[Future[None], Image] = {}
        self._logs: dict[str, JobLog] = {}
        self._failed: dict[str, str] = {}

    def run(self) -> None:
        workers = max(2, os.cpu_count() or 2)
        self._progress.say("images", f"building {len(self._waiting)}, {workers} side by side")
        with ThreadPoolExecutor(workers) as pool:
            while self._waiting or self._running:
                self._start_ready(pool, workers)
                finished, _ = wait(self._running, timeout=_SIGN_OF_LIFE_SECONDS, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._note_end(future)
                if not finished:
                    self._show_life()
        if self._failed:
            raise ImagesError("\n\n".join(self._failed.values()))

    def _start_ready(self, pool: ThreadPoolExecutor, workers: int) -> None:
        unfinished = {*self._waiting, *self._running.values()}
        for image in list(self._waiting):
            if any(base.name in self._failed for base in image.bases):
                self._waiting.remove(image)
                self._failed[image.name] = f"{image.name} was not built, because its base was not."
            elif len(self._running) < workers and unfinished.isdisjoint(image.bases):
                self._waiting.remove(image)
                self._running[pool.submit(self._build, image)] = image

    def _note_end(self, future: Future[None]) -> None:
        image = self._running.pop(future)
        error = future.exception()
        if error is None:
            return
        if not isinstance(error, ImagesError | APIError):
            raise error
        log = self._logs[image.name]
        self._progress.say(image.name, "FAILED")
        self._failed[image.name] = f"{image.name} could not be built: {error}\n{log.tail()}\nThe whole log: {log.path}"

    def _show_life(self) -> None:
        for image in self._running.values():
            log = self._logs.get(image.name)
            if log:
                self._progress.say(image.name, f"… {log.last_line[:100]}")

    def _build(self, image: Image) -> None:
        started = time.monotonic()
        before = _image_id(self._client, image)
        with JobLog(image.name) as log:
            self._logs[image.name] = log
            if image.suite:
                self._progress.say(image.name, f"unpacking Debian {image.suite}")
                build_base(self._client, image, self._mirrors, log.write)
            else:
                build_recipe(
                    self._client,
                    image,
                    self._mirrors,
                    log.write,
                    lambda text: self._progress.say(image.name, text),
                    fresh=self._fresh,
                )
        self._remove_replaced(before, image)
        self._progress.say(image.name, f"done in {time.monotonic() - started:.0f} s")

    def _remove_replaced(self, before: str | None, image: Image) -> None:
        """Gives back the space of the image that had this name; the engine keeps it while something uses it."""
        if before and before != _image_id(self._client, image):
            try:
                self._client.images.remove(before)
            except APIError:
                return


def _image_id(client: docker.DockerClient, image: Image) -> str | None:
    try:
        return client.images.get(image.name).id
    except ImageNotFound:
        return None


def _chain_seconds(image: Image, todo: list[Image]) -> int:
    """How long it takes from the start of this image to the end of the longest one that waits for it."""
    dependent = [_chain_seconds(other, todo) for other in todo if image in other.bases]
    return image.seconds + max(dependent, default=0)
