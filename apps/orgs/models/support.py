"""How platform staff come to see an organization at all, and whom they look through the eyes of."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.core import clock
from apps.core.models import BaseModel
from apps.core.validators import validate_plain_text
from apps.orgs.models.organization import Organization
from apps.orgs.querysets import TenantQuerySet


class SupportAccessQuerySet(TenantQuerySet):
    """The ways in, by how they stand now."""

    def active(self) -> Self:
        """Those that open the organization at this moment."""
        return self.filter(granted_at__isnull=False, ended_at__isnull=True, expires_at__gt=clock.now())

    def waiting(self) -> Self:
        """Those that the Owner has neither answered nor staff withdrawn."""
        return self.filter(granted_at__isnull=True, ended_at__isnull=True)


class SupportAccess(BaseModel):
    """One member of staff may enter one organization until `expires_at`: with the Owner's consent, or for an emergency
    whose reason the Owner is told. Asked for: `granted_at` is empty. Refused, withdrawn or ended: `ended_at` is set."""

    class Kind(models.TextChoices):
        CONSENT = "consent", "Consent of the Owner"
        EMERGENCY = "emergency", "Emergency"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="support_accesses")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="support_accesses")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CONSENT)
    reason = models.CharField(max_length=500, validators=[validate_plain_text])
    minutes = models.PositiveIntegerField(help_text="How long the way in was asked for.")
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    # When the Owner was sent a mail about it. Mails go out by the clock, so that none is lost with a broker.
    told_at = models.DateTimeField(null=True)

    objects = SupportAccessQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "support accesses"
        constraints = [
            models.CheckConstraint(
                condition=Q(granted_at__isnull=True) | Q(expires_at__isnull=False),
                name="support_access_granted_expires",
            ),
        ]
        indexes = [models.Index(fields=["staff", "expires_at"], condition=Q(ended_at=None), name="support_access_open")]

    def __str__(self) -> str:
        return f"{self.staff} in {self.organization}"

    @property
    def state(self) -> str:
        """`waiting`, `active`, `refused`, `ended` or `expired`."""
        if self.granted_at is None:
            return "waiting" if self.ended_at is None else "refused"
        if self.ended_at is not None:
            return "ended"
        return "active" if self.expires_at > clock.now() else "expired"


class ViewAs(BaseModel):
    """A member of staff looks at the portal through the eyes of a person: read-only, for half an hour at most, and only
    at the organizations that are open to this member of staff."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=500, validators=[validate_plain_text])
    # Those that were open at the beginning; which of them still are is asked with every page.
    organization_ids = ArrayField(models.UUIDField(), default=list)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "views as a person"
        constraints = [
            models.CheckConstraint(condition=~Q(staff=F("person")), name="nobody_views_as_themselves"),
        ]

    def __str__(self) -> str:
        return f"{self.staff} as {self.person}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None and self.expires_at > clock.now()
