"""What all rows that leave the platform have in common: a status, a next time, a lease."""

from __future__ import annotations

from django.db import models

from apps.core.models import BaseModel


class OutboxStatus(models.TextChoices):
    """Where a delivery or a mail is. All but the first are ends; a delivery may be sent again from them."""

    PENDING = "pending", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class OutboxRow(BaseModel):
    """Whoever holds the lease token sends it; see docs/notifications.md."""

    status = models.CharField(max_length=10, choices=OutboxStatus.choices, default=OutboxStatus.PENDING)
    attempt_count = models.PositiveIntegerField(default=0)
    # Attempts since it was last asked for: a resend begins anew.
    tries = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True
