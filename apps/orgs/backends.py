"""`user.has_perm("project.environments.deploy", environment)` asks the table of roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from apps.orgs.access import has_permission
from apps.orgs.roles import ALL_CODES


class RoleBackend(BaseBackend):
    """Answers for the 95 codes only; Django's own permissions (`app.change_model`) are left to its own backend."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return perm in ALL_CODES and user_obj.is_authenticated and has_permission(user_obj, perm, obj)
