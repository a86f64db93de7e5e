"""Addresses of the pages. Each app with pages has `urls.py` with its own `app_name` and whole addresses
(`o/<slug:organization>/servers/`); the parts are named organization, project, environment, server, number."""

from __future__ import annotations

from django.urls import include, path

from apps.portal import views
from apps.portal.organization_urls import organization_pages
from apps.portal.rights_urls import rights_pages

APPS_WITH_PAGES = ("orgs", "servers", "projects", "environments", "domains", "deployments", "notifications")

portal = [
    path("", views.home, name="home"),
    path("o/new/", views.organization_create, name="organization_create"),
    path("o/<slug:organization>/", views.organization, name="organization"),
    path("o/<slug:organization>/search/", views.search, name="search"),
    path("o/<slug:organization>/activity/", views.activity, name="activity"),
    path("o/<slug:organization>/activity/running/", views.running, name="running"),
    *organization_pages,
    *rights_pages,
    path("o/<slug:organization>/settings/audit/", views.audit, name="audit"),
    path("o/<slug:organization>/settings/audit/export/", views.audit_export, name="audit_export"),
    path("o/<slug:organization>/settings/support/", views.support_access, name="support"),
    path("o/<slug:organization>/settings/support/<uuid:access>/grant/", views.support_grant, name="support_grant"),
    path("o/<slug:organization>/settings/support/<uuid:access>/refuse/", views.support_refuse, name="support_refuse"),
    path("o/<slug:organization>/settings/support/<uuid:access>/end/", views.support_end, name="support_end"),
    path("view-as/end/", views.view_as_end, name="view_as_end"),
    path("operations/<uuid:operation_id>/", views.operation, name="operation"),
    path("account/", views.account, name="account"),
    path("account/theme/", views.theme, name="theme"),
]
urlpatterns = [
    path("", include((portal, "portal"))),
    path("operations/", include("apps.operations.urls")),
    *(path("", include(f"apps.{name}.urls")) for name in APPS_WITH_PAGES),
]
