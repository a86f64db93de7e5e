"""Addresses of an organization's own pages: people, teams, roles, quotas, audit."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "orgs"
# One list for each topic, so that each stands beside its views.
urlpatterns: list[URLPattern] = []
