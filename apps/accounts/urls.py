"""Pages about a person's own sign-in, besides those of allauth; they go before it."""

from __future__ import annotations

from django.urls import path

from apps.accounts import views

app_name = "accounts"
urlpatterns = [
    path("avatar/<uuid:person>/<str:version>/", views.avatar, name="avatar"),
    path("verify/", views.verify, name="verify"),
    path("security/", views.security, name="security"),
    path("2fa/", views.second_factor, name="second_factor"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/end/", views.end_other_sessions, name="end_other_sessions"),
    path("sessions/<int:session>/end/", views.end_session, name="end_session"),
]
