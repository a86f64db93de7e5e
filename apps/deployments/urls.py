"""Addresses of deployments, below their environment."""

from __future__ import annotations

from django.urls import include, path

from apps.deployments import views

app_name = "deployments"
deployments = [
    path("", views.deployment_list, name="list"),
    path("<int:number>/", views.deployment_detail, name="detail"),
    path("<int:number>/retry/", views.deployment_retry, name="retry"),
]
environment = [
    path("deployments/", include(deployments)),
    path("access/", views.access_panel, name="access"),
    path("access/open/", views.open_odoo, name="open"),
    path("access/password/", views.reveal_password, name="reveal_password"),
]
urlpatterns = [
    path("o/<slug:organization>/p/<slug:project>/<slug:environment>/", include(environment)),
]
