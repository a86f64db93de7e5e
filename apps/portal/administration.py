"""The side bar of the Django admin: the lists of every app, in the order in which one thinks of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

SECTIONS = (
    ("People", ("orgs", "accounts", "account", "mfa", "socialaccount", "usersessions")),
    ("Hosting", ("environments", "projects", "servers", "deployments", "domains")),
    ("Platform", ("platform",)),
    ("Watching", ("operations", "audit", "notifications")),
)
ICONS = {
    "orgs": "domain",
    "accounts": "person",
    "account": "mail",
    "mfa": "key",
    "socialaccount": "link",
    "usersessions": "devices",
    "environments": "deployed_code",
    "projects": "inventory_2",
    "servers": "dns",
    "deployments": "rocket_launch",
    "domains": "language",
    "platform": "tune",
    "operations": "pending_actions",
    "audit": "policy",
    "notifications": "notifications",
}


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links to what this person may look at."""
    result = []
    for title, apps in SECTIONS:
        items = [_link(model) for app in apps for model in _models(app, request)]
        if items:
            result.append({"title": title, "separator": True, "collapsible": False, "items": items})
    return result


def _models(app: str, request: HttpRequest) -> list[Any]:
    return [
        model
        for model, model_admin in admin.site._registry.items()
        if model._meta.app_label == app and model_admin.has_module_permission(request)
    ]


def _link(model: Any) -> dict[str, Any]:
    options = model._meta
    return {
        "title": capfirst(options.verbose_name_plural),
        "icon": ICONS[options.app_label],
        "link": reverse(f"admin:{options.app_label}_{options.model_name}_changelist"),
    }
