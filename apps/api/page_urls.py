"""Addresses of the portal's page of API keys."""

from __future__ import annotations

from django.urls import path

from apps.api import pages

app_name = "keys"
_KEYS = "o/<slug:organization>/settings/keys/"
urlpatterns = [
    path(_KEYS, pages.key_list, name="list"),
    path(f"{_KEYS}<uuid:key>/revoke/", pages.key_revoke, name="revoke"),
]
