from __future__ import annotations

from django.apps import AppConfig


class ToysConfig(AppConfig):
    """Installed in the worker processes that tests start."""

    name = "tests.operations.toys"
    label = "toys"

    def ready(self) -> None:
        from tests.operations.toys import pipelines  # noqa: F401  (registers them)
