"""Events, and what becomes of each: deliveries, mails, notices."""

from apps.notifications.models.event import Event
from apps.notifications.models.outbox import OutboxStatus
from apps.notifications.models.person import Channel, Mail, Notice, Preference
from apps.notifications.models.webhook import Delivery, DeliveryAttempt, Format, Webhook

__all__ = [
    "Channel",
    "Delivery",
    "DeliveryAttempt",
    "Event",
    "Format",
    "Mail",
    "Notice",
    "OutboxStatus",
    "Preference",
    "Webhook",
]
