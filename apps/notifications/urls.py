"""Addresses of webhooks (for an organization), of preferences and of the inbox (for a person)."""

from __future__ import annotations

from django.urls import path

from apps.notifications import views

app_name = "notifications"
_WEBHOOKS = "o/<slug:organization>/settings/webhooks/"
_WEBHOOK = f"{_WEBHOOKS}<uuid:webhook>/"
_DELIVERY = f"{_WEBHOOK}deliveries/<uuid:delivery>/"

urlpatterns = [
    path(_WEBHOOKS, views.webhook_list, name="webhooks"),
    path(f"{_WEBHOOKS}new/", views.webhook_add, name="webhook_add"),
    path(_WEBHOOK, views.webhook_detail, name="webhook"),
    path(f"{_WEBHOOK}edit/", views.webhook_edit, name="webhook_edit"),
    path(f"{_WEBHOOK}pause/", views.webhook_pause, name="webhook_pause"),
    path(f"{_WEBHOOK}resume/", views.webhook_resume, name="webhook_resume"),
    path(f"{_WEBHOOK}rotate/", views.webhook_rotate, name="webhook_rotate"),
    path(f"{_WEBHOOK}test/", views.webhook_test, name="webhook_test"),
    path(f"{_WEBHOOK}delete/", views.webhook_delete, name="webhook_delete"),
    path(_DELIVERY, views.delivery_detail, name="delivery"),
    path(f"{_DELIVERY}resend/", views.delivery_resend, name="delivery_resend"),
    path("account/notifications/", views.preferences, name="preferences"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/count/", views.inbox_count, name="inbox_count"),
    path("inbox/read/", views.inbox_read_all, name="inbox_read_all"),
    path("inbox/<uuid:notice>/", views.notice_open, name="notice_open"),
    path("inbox/<uuid:notice>/mark/", views.notice_mark, name="notice_mark"),
]
