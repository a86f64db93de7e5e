"""API keys, and the answers that are kept for requests which may be sent twice."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.core.fields import EncryptedTextField
from apps.core.models import BaseModel
from apps.core.validators import validate_plain_text
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.projects.models import Project

PREFIX = "oec_live_"
KEY_STATUSES = ("active", "expired", "revoked")


class ApiKeyQuerySet(TenantQuerySet):
    def usable(self) -> ApiKeyQuerySet:
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()), revoked_at=None)


class ApiKey(BaseModel):
    """A program's way in, in the name of the person who made it and never with more than that person's rights.
    The key itself is not kept: its SHA-256 is, which is enough for 190 random bits."""

    class Kind(models.TextChoices):
        READ_ONLY = "ro", "Read only"
        READ_WRITE = "rw", "Read and write"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    project = models.ForeignKey(
        Project,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="api_keys",
        help_text="Empty: all projects of the organization that the person may see.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys")
    made_with = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        editable=False,
        related_name="made",
        help_text="The key that asked for this one, which falls with it.",
    )
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    kind = models.CharField(max_length=2, choices=Kind.choices, default=Kind.READ_ONLY)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=Q(kind__in=["ro", "rw"]), name="api_key_kind")]

    def __str__(self) -> str:
        return self.name

    @property
    def hint(self) -> str:
        """What a person knows the key by: how it begins and how it ends."""
        return f"{PREFIX}{self.kind}_…{self.last_four}"

    @property
    def status(self) -> str:
        """One of KEY_STATUSES; the last two stay for ever."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= clock.now() else "active"

    @property
    def is_read_only(self) -> bool:
        return self.kind == self.Kind.READ_ONLY


class IdempotentAnswer(BaseModel):
    """The answer to a request that carried an Idempotency-Key, written in the transaction of what the request did: it
    is there exactly when the effect is. The body is encrypted, because it may show a new secret."""

    KEPT = timedelta(hours=24)

    api_key = models.ForeignKey(ApiKey, models.CASCADE, related_name="idempotent_answers")
    idempotency_key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    status_code = models.PositiveSmallIntegerField(null=True)
    body = EncryptedTextField(default="")

    organization_path = "api_key__organization"
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["api_key", "idempotency_key"], name="one_answer_per_idempotency_key")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_age")]

    def __str__(self) -> str:
        return self.idempotency_key

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.api_key.organization

    @property
    def is_over(self) -> bool:
        """True when its 24 hours have passed."""
        return self.created_at <= clock.now() - self.KEPT
