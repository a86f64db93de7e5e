"""How much an organization may allocate, what it asked for, and what it had over time."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.core.models import BaseModel
from apps.core.validators import validate_text
from apps.orgs.models.organization import Organization
from apps.orgs.querysets import TenantQuerySet

_NOT_NEGATIVE = [MinValueValidator(0)]


class Quota(BaseModel):
    """The most that an organization may allocate, in total and for one environment. Empty: unlimited."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="quota")
    cpu = models.DecimalField(
        "CPU cores", max_digits=8, decimal_places=2, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    memory_megabytes = models.PositiveBigIntegerField("memory (MB)", null=True, blank=True)
    disk_megabytes = models.PositiveBigIntegerField("disk (MB)", null=True, blank=True)
    environments = models.PositiveIntegerField(null=True, blank=True)
    servers = models.PositiveIntegerField(null=True, blank=True)
    environment_cpu = models.DecimalField(
        "CPU cores of one environment", max_digits=8, decimal_places=2, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    environment_memory_megabytes = models.PositiveBigIntegerField(
        "memory of one environment (MB)", null=True, blank=True
    )
    environment_disk_megabytes = models.PositiveBigIntegerField("disk of one environment (MB)", null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Quota of {self.organization}"


class QuotaRequest(BaseModel):
    """What a member asks for: the totals that there should be (empty: as it is), and why. Staff answer."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="quota_requests")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    cpu = models.DecimalField(
        "CPU cores", max_digits=8, decimal_places=2, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    memory_megabytes = models.PositiveBigIntegerField("memory (MB)", null=True, blank=True)
    disk_megabytes = models.PositiveBigIntegerField("disk (MB)", null=True, blank=True)
    environments = models.PositiveIntegerField(null=True, blank=True)
    servers = models.PositiveIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=1000, validators=[validate_text])
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING, editable=False)
    answer = models.CharField(max_length=1000, blank=True, validators=[validate_text])
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(status="waiting"), name="one_quota_request_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"More for {self.organization}"


class UsageSample(BaseModel):
    """What was allocated at the full hour `taken_at`: by the whole organization (`on_project` empty) or one project."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="usage_samples")
    on_project = models.UUIDField(null=True)
    project_name = models.CharField(max_length=100, blank=True)
    taken_at = models.DateTimeField()
    cpu = models.DecimalField(max_digits=10, decimal_places=2)
    memory_megabytes = models.PositiveBigIntegerField()
    disk_megabytes = models.PositiveBigIntegerField()
    environments = models.PositiveIntegerField()
    servers = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "taken_at"], condition=Q(on_project=None), name="one_sample_per_hour"
            ),
            models.UniqueConstraint(
                fields=["organization", "on_project", "taken_at"],
                condition=Q(on_project__isnull=False),
                name="one_sample_per_project_and_hour",
            ),
        ]
        indexes = [models.Index(fields=["taken_at"], name="usage_sample_taken_at")]

    def __str__(self) -> str:
        return f"{self.project_name or self.organization} at {self.taken_at:%Y-%m-%d %H:%M}"
