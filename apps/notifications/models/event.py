"""What happened."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.models import BaseModel
from apps.notifications.kinds import Kind, get_kind
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.projects.models import Project


class Event(BaseModel):
    """Written in the transaction of what it tells about; `key` makes a second telling meet the first.

    `payload` is what a raw webhook gets besides id, kind, time and actor: names as they were then, no secrets.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="notification_events")
    # Kept when the project goes: that it went may be what is told.
    project = models.ForeignKey(Project, models.SET_NULL, null=True, blank=True, related_name="notification_events")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=300)
    path = models.CharField(max_length=300, blank=True)
    payload = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()
    project_path = "project_id"

    class Meta:
        ordering = ["-happened_at"]
        indexes = [
            models.Index(fields=["happened_at"], condition=Q(dispatched_at=None), name="event_to_dispatch"),
            models.Index(fields=["organization", "-happened_at"], name="event_recent"),
            models.Index(fields=["happened_at"], name="event_old"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def description(self) -> Kind:
        """What is known about its kind; one that this version does not know any more is described by its name."""
        try:
            return get_kind(self.kind)
        except KeyError:
            return Kind(self.kind, self.kind, "", "org.view", for_webhooks=False)

    @property
    def level(self) -> str:
        """`info`, `success`, `warning` or `error`."""
        return self.description.level
