"""Building: only what changed, several at once, and failures that can be read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from images.builder import build, is_current, outdated
from images.catalog import Image, all_images, chosen, published
from images.errors import ImagesError
from images.transfer import is_present, load, save

pytestmark = pytest.mark.lab
Recipe = Callable[..., Image]


@pytest.fixture
def recipe(engine: docker.DockerClient, tmp_path: Path) -> Iterator[Recipe]:
    """`recipe("one", "RUN true")`: a small image that starts from BusyBox, or from other recipes."""
    names = []

    def made(name: str, *lines: str, bases: tuple[Image, ...] = ()) -> Image:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        start = bases[0].name if bases else "busybox:stable"
        (folder / "Dockerfile").write_text("\n".join([f"FROM {start}", *lines]) + "\n")
        names.append(f"oecsh-test/{name}:1")
        return Image(name=names[-1], recipe=name, bases=bases, folder=tmp_path)

    yield made
    for name in reversed(names):
        try:
            engine.images.remove(name, force=True)
        except ImageNotFound:
            continue


def test_everything_current_costs_nothing(engine: docker.DockerClient, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    assert build(engine, published()) == []
    assert time.monotonic() - started < 5
    assert capsys.readouterr().out == ""


def test_image_is_built_once_and_again_when_its_recipe_changes(engine: docker.DockerClient, recipe: Recipe) -> None:
    image = recipe("one", "RUN echo first > /text")
    assert build(engine, [image]) == [image]
    assert is_current(engine, image)
    assert build(engine, [image]) == []
    first = engine.images.get(image.name).id
    image = recipe("one", "RUN echo second > /text")
    assert outdated(engine, [image]) == [image]
    build(engine, [image])
    assert engine.containers.run(image.name, ["cat", "/text"], remove=True) == b"second\n"
    with pytest.raises(ImageNotFound):
        engine.images.get(first)


def test_bases_are_built_first_and_only_where_they_are_needed(engine: docker.DockerClient, recipe: Recipe) -> None:
    base = recipe("base", "RUN echo base > /text")
    top = recipe("top", "RUN cat /text", bases=(base,))
    assert build(engine, [top]) == [base, top]
    engine.images.remove(top.name)
    assert build(engine, [top]) == [top]


def test_failure_shows_the_last_lines_and_the_rest_is_built(engine: docker.DockerClient, recipe: Recipe) -> None:
    broken = recipe("broken", "RUN echo what went wrong; exit 7")
    on_top = recipe("on-top", "RUN true", bases=(broken,))
    sound = recipe("sound", "RUN true")
    with pytest.raises(ImagesError) as failure:
        build(engine, [on_top, sound])
    message = str(failure.value)
    assert "oecsh-test/broken:1 could not be built" in message
    assert "what went wrong" in message
    assert "oecsh-test/on-top:1 was not built" in message
    log = Path(message.partition("The whole log: ")[2].splitlines()[0])
    assert "returned a non-zero code: 7" in log.read_text()
    assert is_current(engine, sound)
    assert not is_present(engine, broken)


def test_images_are_carried_in_a_file(engine: docker.DockerClient, recipe: Recipe, tmp_path: Path) -> None:
    images = [recipe("one", "RUN echo 1 > /text"), recipe("two", "RUN echo 2 > /text")]
    file = tmp_path / "images.tar"
    with pytest.raises(ImagesError, match="oecsh-test/one:1 is not here"):
        save(engine, images, file)
    assert list(tmp_path.glob("*.tar*")) == []

    build(engine, images)
    assert save(engine, images, file) == file.stat().st_size
    for image in images:
        engine.images.remove(image.name)
    said: list[str] = []
    load(engine, file, said.append)
    assert sorted(said) == ["loaded oecsh-test/one:1", "loaded oecsh-test/two:1"]
    assert all(is_current(engine, image) for image in images)


def test_file_that_holds_no_images_is_refused(engine: docker.DockerClient, tmp_path: Path) -> None:
    file = tmp_path / "images.tar"
    file.write_bytes(b"this is not an archive" * 100)
    with pytest.raises(ImagesError, match=r"images\.tar could not be loaded"):
        load(engine, file, print)
    with pytest.raises(ImagesError, match=r"missing\.tar could not be loaded"):
        load(engine, tmp_path / "missing.tar", print)


def test_original_from_a_registry_counts_as_there(engine: docker.DockerClient) -> None:
    """A pulled image carries no label of ours; it must not be replaced by a build."""
    (busybox,) = chosen(["busybox"])
    assert is_present(engine, busybox)
    container = engine.containers.create("busybox:stable", ["true"])
    try:
        container.commit("oecsh-test/original", "1", changes=["LABEL sh.oec.recipe="])
    finally:
        container.remove()
    try:
        relabelled = Image(name="oecsh-test/original:1", recipe="busybox")
        assert not is_present(engine, relabelled), "a label of an older recipe"
    finally:
        engine.images.remove("oecsh-test/original:1")
    assert set(all_images()) >= {"oecsh/debian:trixie", "busybox:stable"}
