from __future__ import annotations

from django.apps import AppConfig


class EnvironmentsConfig(AppConfig):
    name = "apps.environments"

    def ready(self) -> None:
        from apps.environments import messages, receivers, runtime_messages  # noqa: F401
        from apps.environments.pipelines import control, destroy, restore  # noqa: F401
