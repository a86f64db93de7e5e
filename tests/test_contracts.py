"""The shape of the code is held by tests: layers, migrations, foreign keys, sizes of files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
ORDER = [
    "core",
    "audit",
    "accounts",
    "orgs",
    "platform",
    "operations",
    "projects servers",
    "environments",
    "domains",
    "deployments",
    "notifications",
    "portal api",
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names.split()}
LONGEST_FILE = 300


def test_each_layer_imports_only_what_stands_below_it():
    lint = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([str(lint)], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert result.returncode == 0, result.stdout


def test_every_app_has_its_place_in_the_layers():
    folders = {path.parent.name for path in (ROOT / "apps").glob("*/__init__.py")}
    assert folders == set(RANK)


def test_no_foreign_key_points_up():
    up = [
        f"{model._meta.label} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if model._meta.app_label in RANK
        and field.related_model is not None
        and RANK.get(field.related_model._meta.app_label, 0) > RANK[model._meta.app_label]
    ]
    assert up == []


@pytest.mark.django_db
def test_migrations_say_what_the_models_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def source_files():
    for folder in ("apps", "oecsh", "images", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def test_files_are_short():
    long = [
        f"{path.relative_to(ROOT)}: {count}"
        for path in source_files()
        if (count := len(path.read_text().splitlines())) > LONGEST_FILE
    ]
    assert long == []


def test_nothing_is_called_utils_or_helpers():
    assert [path for path in source_files() if path.stem in ("utils", "helpers", "misc", "common")] == []
