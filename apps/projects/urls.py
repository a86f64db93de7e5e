"""Addresses of projects, repositories and credentials."""

from __future__ import annotations

from django.urls import include, path

from apps.projects import views

app_name = "projects"
credentials = [
    path("", views.credential_list, name="credentials"),
    path("tokens/", views.credential_add_token, name="add_token"),
    path("keys/", views.credential_add_key, name="add_key"),
    path("<uuid:credential>/replace/", views.credential_replace, name="replace_token"),
    path("<uuid:credential>/forget-host-key/", views.credential_forget_host_key, name="forget_host_key"),
    path("<uuid:credential>/remove/", views.credential_remove, name="remove_credential"),
]
registries = [
    path("", views.registry_list, name="registries"),
    path("add/", views.registry_add, name="add_registry"),
    path("<uuid:account>/check/", views.registry_check, name="check_registry"),
    path("<uuid:account>/replace/", views.registry_replace, name="replace_registry_password"),
    path("<uuid:account>/remove/", views.registry_remove, name="remove_registry"),
]
settings = [
    path("", views.project_settings, name="settings"),
    path("delete/", views.project_delete, name="delete"),
    path("repositories/new/", views.repository_add, name="add_repository"),
    path("repositories/<uuid:repository>/", views.repository_edit, name="repository"),
    path("repositories/<uuid:repository>/check/", views.repository_check, name="check_repository"),
    path("repositories/<uuid:repository>/remove/", views.repository_remove, name="remove_repository"),
]
urlpatterns = [
    path("o/<slug:organization>/projects/", views.project_list, name="list"),
    path("o/<slug:organization>/projects/new/", views.project_create, name="create"),
    path("o/<slug:organization>/projects/branches/", views.branches, name="branches"),
    path("o/<slug:organization>/settings/git/", include(credentials)),
    path("o/<slug:organization>/settings/registries/", include(registries)),
    path("o/<slug:organization>/p/<slug:project>/settings/", include(settings)),
    path("o/<slug:organization>/p/<slug:project>/commits/", views.commits, name="commits"),
]
