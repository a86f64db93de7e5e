from __future__ import annotations

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "apps.orgs"
    verbose_name = "Organizations"

    def ready(self) -> None:
        from apps.orgs import messages, receivers, rights_messages  # noqa: F401  (texts; listens)
