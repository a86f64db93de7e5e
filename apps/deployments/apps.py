"""Releases, deployments, seeds and the sixteen steps."""

from __future__ import annotations

from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "apps.deployments"

    def ready(self) -> None:
        from apps.deployments import messages, receivers  # noqa: F401  (register texts, listen to signals)
        from apps.deployments.pipelines import deploy  # noqa: F401  (registers the pipeline)
