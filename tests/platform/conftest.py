"""The rows that a migration adds: a test before this one may have emptied the tables."""

from __future__ import annotations

import importlib

import pytest

from apps.platform.models import OdooSeries

SUPPORTED_UNTIL = importlib.import_module("apps.platform.migrations.0002_series").SUPPORTED_UNTIL


@pytest.fixture(autouse=True)
def _versions(db: None) -> None:
    for version, day in SUPPORTED_UNTIL.items():
        OdooSeries.objects.get_or_create(version=version, defaults={"supported_until": day})
