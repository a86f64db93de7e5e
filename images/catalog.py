"""The list of images (catalog.toml) and the key that says when one has to be built again."""

from __future__ import annotations

import functools
import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from images.errors import ImagesError
from images.paths import RECIPES

RECIPE_LABEL = "sh.oec.recipe"
CATALOG = Path(__file__).with_name("catalog.toml")


@dataclass(frozen=True)
class Wheel:
    """A program that comes out of a wheel: an exactly pinned requirement and the program's name in it."""

    requirement: str
    program: str


@dataclass(frozen=True)
class Image:
    """One image of the catalogue; the fields are described at the head of catalog.toml."""

    name: str
    recipe: str
    dockerfile: str = "Dockerfile"
    bases: tuple[Image, ...] = ()
    suite: str = ""
    internal: bool = False
    seconds: int = 60
    wheel: Wheel | None = None
    folder: Path = field(default=RECIPES)

    @property
    def context(self) -> Path:
        """The build context's folder."""
        return self.folder / self.recipe

    @property
    def repository(self) -> str:
        """The name without its tag, as a registry files it: `library/odoo`, `edoburu/pgbouncer`."""
        name = self.name.rpartition(":")[0]
        return name if "/" in name else f"library/{name}"

    @property
    def tag(self) -> str:
        """The tag alone, `19.0`."""
        return self.name.rpartition(":")[2]


@functools.cache
def all_images(catalog: Path = CATALOG, recipes: Path = RECIPES) -> dict[str, Image]:
    """Every image of the catalogue by its name with tag, in the catalogue's order."""
    images: dict[str, Image] = {}
    for entry in tomllib.loads(catalog.read_text())["image"]:
        pypi = entry.pop("pypi", None)
        bases = tuple(images[name] for name in entry.pop("bases", ()))
        wheel = Wheel(**pypi) if pypi else None
        images[entry["name"]] = Image(**entry, bases=bases, wheel=wheel, folder=recipes)
    return images


def published() -> list[Image]:
    """The images that are pushed, saved and pulled: all but the steps on the way."""
    return [image for image in all_images().values() if not image.internal]


def chosen(names: list[str]) -> list[Image]:
    """The images called `names`; a name without tag stands for each of its tags. No names: all published ones.

    Raises ImagesError for a name that the catalogue does not have.
    """
    if not names:
        return published()
    found = {}
    for name in names:
        matches = [image for image in all_images().values() if name in (image.name, image.name.rpartition(":")[0])]
        if not matches:
            known = ", ".join(image.name for image in published())
            raise ImagesError(f"There is no image called {name}. Known: {known}")
        found.update({image.name: image for image in matches})
    return list(found.values())


def with_bases(images: list[Image]) -> list[Image]:
    """`images` and everything they start from, each after its bases."""
    ordered: dict[str, Image] = {}

    def visit(image: Image) -> None:
        for base in image.bases:
            visit(base)
        ordered.setdefault(image.name, image)

    for image in images:
        visit(image)
    return list(ordered.values())


def recipe_key(image: Image) -> str:
    """SHA-256 over all that decides an image's content: the context's files, what the catalogue says, its bases.

    Where the packages come from is no part of it, so moving to another mirror builds nothing again.
    """
    digest = hashlib.sha256()

    def feed(*parts: str | bytes) -> None:
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big") + data)

    feed(image.name, image.dockerfile, image.suite, image.wheel.requirement if image.wheel else "")
    for path in _recipe_files(image):
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        feed(path.relative_to(image.context).as_posix(), executable, path.read_bytes())
    for base in image.bases:
        feed(recipe_key(base))
    return digest.hexdigest()


def _recipe_files(image: Image) -> list[Path]:
    """The context's files without the Dockerfiles of the recipe's other versions."""
    files = sorted(path for path in image.context.rglob("*") if path.is_file())
    return [path for path in files if not path.name.endswith("Dockerfile") or path.name == image.dockerfile]
