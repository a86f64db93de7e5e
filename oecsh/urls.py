"""Addresses of all apps. What each page is for stands in docs/portal.md."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

# Staff sign in by the same page as everybody: it is limited in attempts, and knows second factors.
admin.site.login = secure_admin_login(admin.site.login)

handler404 = "apps.portal.views.missing.missing"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("apps.accounts.urls")),
    path("account/data/", include("apps.portal.personal.urls")),
    path("account/", include("allauth.urls")),
    path("api/public/v1/", include("apps.api.urls")),
    path("", include("apps.api.page_urls")),
    path("", include("apps.portal.urls")),
]
