"""Below /account/data/."""

from __future__ import annotations

from django.urls import path

from apps.portal.personal import views

app_name = "personal"
urlpatterns = [
    path("", views.data, name="data"),
    path("export/", views.export_data, name="export"),
    path("erase/", views.erase_account, name="erase"),
]
