"""Included by the portal under `operations/`."""

from __future__ import annotations

from django.urls import path

from apps.operations import views

app_name = "operations"
urlpatterns = [
    path("<uuid:operation_id>/lines/", views.lines, name="lines"),
    path("<uuid:operation_id>/steps/", views.steps, name="steps"),
    path("<uuid:operation_id>/cancel/", views.cancel, name="cancel"),
    path("<uuid:operation_id>/log.txt", views.download, name="download"),
]
