"""Pages of projects, their repositories, and the credentials of an organization."""

from __future__ import annotations

from apps.projects.views.credentials import (
    credential_add_key,
    credential_add_token,
    credential_forget_host_key,
    credential_list,
    credential_remove,
    credential_replace,
)
from apps.projects.views.projects import branches, project_create, project_delete, project_list, project_settings
from apps.projects.views.registries import (
    registry_add,
    registry_check,
    registry_list,
    registry_remove,
    registry_replace,
)
from apps.projects.views.repositories import (
    commits,
    repository_add,
    repository_check,
    repository_edit,
    repository_remove,
)

__all__ = [
    "branches",
    "commits",
    "credential_add_key",
    "credential_add_token",
    "credential_forget_host_key",
    "credential_list",
    "credential_remove",
    "credential_replace",
    "project_create",
    "project_delete",
    "project_list",
    "project_settings",
    "registry_add",
    "registry_check",
    "registry_list",
    "registry_remove",
    "registry_replace",
    "repository_add",
    "repository_check",
    "repository_edit",
    "repository_remove",
]
