"""Base images: a Debian release unpacked by debootstrap and handed to the engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import docker

from images.catalog import RECIPE_LABEL, Image, recipe_key
from images.errors import ImagesError
from images.mirrors import Mirrors
from images.paths import cache_folder


def build_base(client: docker.DockerClient, image: Image, mirrors: Mirrors, write: Callable[[str], None]) -> None:
    """Unpacks the release `image.suite` and imports it under the image's name; `write` gets every line of output.

    Takes root (debootstrap makes devices and changes roots). Raises ImagesError when a step fails.
    """
    if os.geteuid() != 0:
        raise ImagesError(f"{image.name} can only be built by root (debootstrap); load or pull the images instead.")
    root = cache_folder("roots") / image.suite
    _clear(root)
    try:
        debs = cache_folder("debs", image.suite)
        variant = ["--variant=minbase", "--include=ca-certificates,eatmydata", f"--cache-dir={debs}"]
        _run(["eatmydata", "debootstrap", *variant, image.suite, str(root), mirrors.archive], write)
        shutil.copytree(image.context / "root", root, dirs_exist_ok=True)
        shutil.copy2(image.context / "finish", root / "finish")
        # The archive's name is looked up the way this machine does; the file goes again in `finish`.
        shutil.copy2("/etc/resolv.conf", root / "etc" / "resolv.conf")
        _run(["chroot", str(root), "/finish"], write, os.environ | mirrors.build_arguments() | {"LC_ALL": "C.UTF-8"})
        (root / "finish").unlink()
        write("Importing the root file system")
        _import(client, image, root)
    finally:
        _clear(root)


def _run(command: list[str], write: Callable[[str], None], environment: dict[str, str] | None = None) -> None:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    with process:
        for line in process.stdout or ():
            write(line.rstrip())
    if process.returncode != 0:
        raise ImagesError(f"{' '.join(command[:3])} … failed with status {process.returncode}")


def _import(client: docker.DockerClient, image: Image, root: Path) -> None:
    repository, _, tag = image.name.rpartition(":")
    changes = ['CMD ["bash"]', f"LABEL {RECIPE_LABEL}={recipe_key(image)}"]
    command = ["tar", "--directory", str(root), "--numeric-owner", "--exclude=./proc/*", "--exclude=./sys/*", "-c", "."]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as archive:
        client.api.import_image_from_stream(archive.stdout, repository=repository, tag=tag, changes=changes)
    if archive.returncode != 0:
        client.images.remove(image.name, force=True)
        raise ImagesError(f"tar failed with status {archive.returncode}")


def _clear(root: Path) -> None:
    """Removes what an earlier run left, file systems that were still mounted in it first."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted(mounted, reverse=True):
        if place.startswith(f"{root}/"):
            subprocess.run(["umount", "--lazy", place], check=True)
    if root.exists():
        shutil.rmtree(root)
