"""Addresses of servers."""

from __future__ import annotations

from django.urls import include, path

from apps.servers import views

app_name = "servers"
server = [
    path("", views.server_detail, name="detail"),
    path("settings/", views.server_settings, name="settings"),
    path("host-key/", views.host_key, name="host_key"),
    path("host-key/confirm/", views.host_key_confirm, name="host_key_confirm"),
    path("test/", views.connection_test, name="test"),
    path("prepare/", views.prepare, name="prepare"),
    path("sync/", views.sync, name="sync"),
    path("remove/", views.remove, name="remove"),
    path("gone/", views.give_up, name="give_up"),
]
urlpatterns = [
    path("o/<slug:organization>/servers/", views.server_list, name="list"),
    path("o/<slug:organization>/servers/new/", views.server_add, name="add"),
    path("o/<slug:organization>/servers/<slug:server>/", include(server)),
]
