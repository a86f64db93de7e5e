"""The one question, in templates. Loaded everywhere (`builtins` in the settings)."""

from __future__ import annotations

from typing import Any

from django import template

from apps.orgs.access import has_permission

register = template.Library()


@register.simple_tag(takes_context=True)
def can(context: template.Context, code: str, target: Any = None) -> bool:
    """`{% can "project.update" project as may_update %}`: whether the person who looks at the page has the right.
    Nobody who is not signed in has any. Raises ValueError for a code that does not exist."""
    user = context.get("user")
    return user is not None and user.is_authenticated and has_permission(user, code, target)
