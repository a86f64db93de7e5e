"""Addresses of environments, and of a project's page, which shows them."""

from __future__ import annotations

from django.urls import include, path

from apps.environments import views

app_name = "environments"
environment = [
    path("", views.overview, name="overview"),
    path("actions/<slug:action>/", views.action, name="action"),
    path("logs/", views.logs, name="logs"),
    path("logs/lines/", views.log_lines, name="log_lines"),
    path("logs/odoo.log", views.log_download, name="log_download"),
    path("variables/", views.variables, name="variables"),
    path("variables/<uuid:variable>/delete/", views.variable_delete, name="variable_delete"),
    path("repositories/", views.repositories, name="repositories"),
    path("settings/", views.environment_settings, name="settings"),
    path("settings/resize/", views.resize, name="resize"),
    path("settings/destroy/", views.destroy, name="destroy"),
]
project = [
    path("", views.stages, name="stages"),
    path("new/", views.environment_create, name="create"),
    path("new/preview/", views.preview, name="preview"),
    path("destroyed/<uuid:identifier>/restore/", views.restore, name="restore"),
    path("destroyed/<uuid:identifier>/purge/", views.purge, name="purge"),
    path("<slug:environment>/", include(environment)),
]
urlpatterns = [
    path("o/<slug:organization>/servers/<slug:server>/capacity/", views.server_capacity, name="capacity"),
    path("o/<slug:organization>/p/<slug:project>/", include(project)),
]
