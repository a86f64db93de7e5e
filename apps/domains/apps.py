from __future__ import annotations

from django.apps import AppConfig


class DomainsConfig(AppConfig):
    name = "apps.domains"

    def ready(self) -> None:
        from apps.domains import messages, pipelines, receivers  # noqa: F401  (registers texts, pipelines, receivers)
