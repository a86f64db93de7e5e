"""Outgoing webhooks, what is delivered to them, and each attempt."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from apps.core import clock
from apps.core.fields import EncryptedTextField, unreadable
from apps.core.models import BaseModel
from apps.core.validators import validate_plain_text
from apps.notifications.models.event import Event
from apps.notifications.models.outbox import OutboxRow, OutboxStatus
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.projects.models import Project

MOST_EVENTS = 10


class Format(models.TextChoices):
    """What the body looks like."""

    RAW = "raw", "Raw JSON"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    DISCORD = "discord", "Discord"


class Webhook(BaseModel):
    """An address that is called when something happens in the organization, or in one project of it.

    The address counts as a secret too: for Slack, Teams and Discord, whoever has it may write there.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="webhooks")
    project = models.ForeignKey(Project, models.CASCADE, null=True, blank=True, related_name="webhooks")
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    url = EncryptedTextField()
    format = models.CharField(max_length=10, choices=Format.choices, default=Format.RAW)
    events = ArrayField(models.CharField(max_length=60), size=MOST_EVENTS)
    secret = EncryptedTextField(editable=False)
    # After a rotation the old one signs as well, until then.
    previous_secret = EncryptedTextField(blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    pause_reason = models.CharField(max_length=200, blank=True, editable=False)
    # Failed attempts in a row, and since when.
    failure_count = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    resting_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_triggered_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TenantQuerySet.as_manager()
    # Who manages webhooks does so for the whole organization, whatever project one is about.
    project_path = None

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="webhook_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """False while it is paused."""
        return self.paused_at is None

    @property
    def host(self) -> str:
        """The host that it calls: what may be shown and recorded of the address. Empty where that cannot be read."""
        return "" if unreadable(self, "url") else urlsplit(self.url).hostname or ""

    @property
    def problem(self) -> str:
        """What keeps it from being called, and what to do; empty for one that can be. Its address or its secret may
        have been encrypted with a key that is gone."""
        is_old_one_used = self.previous_secret_until is not None and clock.now() < self.previous_secret_until
        missing = unreadable(self, "url", "secret", *(["previous_secret"] if is_old_one_used else []))
        lost = {"the address": "enter the address again"} if "url" in missing else {}
        if set(missing) - {"url"}:
            lost |= {"the secret": "replace the secret"}
        if not lost:
            return ""
        what, how = " and ".join(lost), ", ".join(lost.values())
        return f"It cannot be called: {what} cannot be decrypted any more. Please {how}, then resume it."

    def secrets_at(self, moment: datetime) -> list[str]:
        """The secrets to sign with, the newest first."""
        if self.previous_secret_until is None or moment >= self.previous_secret_until:
            return [self.secret]
        return [self.secret, self.previous_secret]

    def get_absolute_url(self) -> str:
        return reverse("notifications:webhook", args=[self.organization.slug, self.pk])


class Delivery(OutboxRow):
    """One event for one webhook. Its id is the `webhook-id` of every attempt."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")

    objects = TenantQuerySet.as_manager()
    organization_path = "webhook__organization"

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="one_delivery_per_event")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status=OutboxStatus.PENDING), name="delivery_due"),
            models.Index(fields=["webhook", "-created_at"], name="delivery_recent"),
            models.Index(
                fields=["lease_expires_at"], condition=Q(lease_expires_at__isnull=False), name="delivery_leases"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.webhook.organization


class DeliveryAttempt(BaseModel):
    """One call. Written before the request: one without an end belonged to a worker that was lost."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    duration_milliseconds = models.PositiveIntegerField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    # The beginning of the answer, masked.
    response_body = models.TextField(blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects = TenantQuerySet.as_manager()
    organization_path = "delivery__webhook__organization"

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_number")]

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.delivery.webhook.organization

    @property
    def outcome(self) -> str:
        """In one word, for a page: delivered, failed, or running."""
        if self.finished_at is None:
            return "running"
        return "failed" if self.error else "delivered"
