"""Pages: webhooks of an organization, what a person wants to be told, the inbox."""

from __future__ import annotations

from apps.notifications.views.deliveries import delivery_detail, delivery_resend
from apps.notifications.views.inbox import inbox, inbox_count, inbox_read_all, notice_mark, notice_open
from apps.notifications.views.preferences import preferences
from apps.notifications.views.webhook_actions import (
    webhook_delete,
    webhook_pause,
    webhook_resume,
    webhook_rotate,
    webhook_test,
)
from apps.notifications.views.webhooks import webhook_add, webhook_detail, webhook_edit, webhook_list

__all__ = [
    "delivery_detail",
    "delivery_resend",
    "inbox",
    "inbox_count",
    "inbox_read_all",
    "notice_mark",
    "notice_open",
    "preferences",
    "webhook_add",
    "webhook_delete",
    "webhook_detail",
    "webhook_edit",
    "webhook_list",
    "webhook_pause",
    "webhook_resume",
    "webhook_rotate",
    "webhook_test",
]
