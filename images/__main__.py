"""`python -m images`: see `python -m images --help`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from docker import DockerClient

from images.builder import build, is_current
from images.catalog import Image, chosen
from images.engine import ensure_engine
from images.errors import ImagesError
from images.packages import PURPOSES, ensure_purpose
from images.registry import PORT, ensure_registry
from images.transfer import ensure, is_present, load, pull, push_all, save


def parser() -> argparse.ArgumentParser:
    """The command line, as `--help` shows it."""
    whole = argparse.ArgumentParser(prog="python -m images", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    texts = {
        "ensure": "what is there stays, else it is pulled, else it is built",
        "build": "build what is missing or whose recipe changed",
        "pull": "pull the usual images from the Docker Hub",
        "push": "put images into the local registry",
        "list": "say which images are there",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("names", nargs="*", metavar="IMAGE", help="name with or without tag; none: all")
        if name in ("build", "ensure"):
            command.add_argument("--push", action="store_true", help="put them into the local registry as well")
        if name == "build":
            command.add_argument("--fresh", action="store_true", help="build again from nothing, with today's packages")
    for name, text in {"save": "write all images into one file", "load": "read such a file"}.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("file", type=Path)
    commands.add_parser("engine", help="start a Docker engine if none answers")
    registry = commands.add_parser("registry", help="start the local registry if none answers")
    registry.add_argument("--address", default="127.0.0.1")
    registry.add_argument("--port", type=int, default=PORT)
    registry.add_argument("--read-only", action="store_true")
    packages = commands.add_parser("packages", help="install the Debian packages of a purpose")
    packages.add_argument("purposes", nargs="+", choices=sorted(PURPOSES))
    return whole


def run(arguments: argparse.Namespace) -> None:
    """Does what the command line says."""
    if arguments.command == "packages":
        ensure_purpose(*arguments.purposes)
    elif arguments.command == "registry":
        print(ensure_registry(arguments.address, arguments.port, read_only=arguments.read_only))
    elif arguments.command == "engine":
        client = ensure_engine()
        print(f"Docker engine {client.version()['Version']} at {client.api.base_url}")
    elif arguments.command in ("save", "load"):
        _carry(ensure_engine(), arguments)
    else:
        _images(ensure_engine(), arguments)


def _images(client: DockerClient, arguments: argparse.Namespace) -> None:
    images = chosen(arguments.names)
    if arguments.command == "build":
        built = build(client, images, fresh=arguments.fresh)
        print(f"{len(images)} images are current, {len(built)} were built.")
    elif arguments.command == "ensure":
        ensure(client, images)
    elif arguments.command == "pull":
        left = pull(client, images)
        if left:
            raise ImagesError(f"Not pulled: {', '.join(image.name for image in left)}")
    elif arguments.command == "list":
        _show(client, images)
    if arguments.command == "push" or getattr(arguments, "push", False):
        ensure_registry()
        push_all(client, images)


def _show(client: DockerClient, images: list[Image]) -> None:
    for image in images:
        state = "missing"
        if is_present(client, image):
            state = "current" if is_current(client, image) else "original"
        print(f"{image.name:<32} {state}")


def _carry(client: DockerClient, arguments: argparse.Namespace) -> None:
    if arguments.command == "save":
        images = chosen([])
        size = save(client, images, arguments.file)
        print(f"{arguments.file}: {len(images)} images, {size / 1e9:.1f} GB")
    else:
        load(client, arguments.file, print)


def main() -> int:
    """Runs one command; returns the exit status."""
    try:
        run(parser().parse_args())
    except ImagesError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # Builds in other threads would be waited for otherwise; the engine drops them with the connection.
        os._exit(130)
    return 0


if __name__ == "__main__":
    sys.exit(main())
