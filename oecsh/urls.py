"""Addresses of all apps. What each page is for stands in docs/portal.md."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("apps.portal.urls")),
]
