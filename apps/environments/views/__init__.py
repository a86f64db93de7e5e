"""Pages of environments, and the page of a project, which shows them."""

from __future__ import annotations

from apps.environments.views.changes import environment_settings, repositories, resize
from apps.environments.views.creation import environment_create, preview
from apps.environments.views.lifecycle import action, destroy, purge, restore
from apps.environments.views.logs import log_download, log_lines, logs
from apps.environments.views.overview import overview, server_capacity, stages
from apps.environments.views.variables import variable_delete, variables

__all__ = [
    "action",
    "destroy",
    "environment_create",
    "environment_settings",
    "log_download",
    "log_lines",
    "logs",
    "overview",
    "preview",
    "purge",
    "repositories",
    "resize",
    "restore",
    "server_capacity",
    "stages",
    "variable_delete",
    "variables",
]
