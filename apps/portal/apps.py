from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "apps.portal"

    def ready(self) -> None:
        from apps.portal.personal import messages  # noqa: F401  (registers the texts)
