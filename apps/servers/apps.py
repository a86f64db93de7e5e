from __future__ import annotations

from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "apps.servers"

    def ready(self) -> None:
        from apps.servers import messages  # noqa: F401  (registers the texts)
        from apps.servers.pipelines import bootstrap, remove  # noqa: F401  (registers the pipelines)
