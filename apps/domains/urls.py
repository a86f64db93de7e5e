"""Addresses of the pages about an environment's name."""

from __future__ import annotations

from django.urls import path

from apps.domains import views

app_name = "domains"
_PLACE = "o/<slug:organization>/p/<slug:project>/<slug:environment>/domains/"
urlpatterns = [
    path(_PLACE, views.domains, name="domains"),
    path(f"{_PLACE}check/", views.check, name="check"),
    path(f"{_PLACE}order/", views.order, name="order"),
]
