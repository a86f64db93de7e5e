"""Servers and the keys that open them."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

from apps.core.fields import EncryptedTextField
from apps.core.models import BaseModel
from apps.core.validators import validate_address, validate_plain_text, validate_slug
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.servers.validators import validate_network_range, validate_user_name

_PORT = [MinValueValidator(1), MaxValueValidator(65535)]


class SSHKey(BaseModel):
    """A private key of an organization. The private part and its passphrase never leave the database in clear,
    except into the memory of the process that connects."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="ssh_keys")
    name = models.CharField(max_length=100, validators=[validate_plain_text])
    public_key = models.TextField(editable=False)
    private_key = EncryptedTextField()
    passphrase = EncryptedTextField(blank=True, default="")
    fingerprint = models.CharField(max_length=100, editable=False)
    generated = models.BooleanField(default=False, help_text="Made by the platform, not pasted.")

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = "SSH key"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_ssh_key_per_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Server(BaseModel):
    """A machine that the platform reaches by SSH, where environments run. Facts are what was last seen there."""

    class Status(models.TextChoices):
        """`pending`: added, never prepared. `connecting`: being prepared. None of them is terminal."""

        PENDING = "pending"
        CONNECTING = "connecting"
        READY = "ready"
        UNREACHABLE = "unreachable"
        ERROR = "error"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="servers")
    name = models.CharField(max_length=100, validators=[validate_plain_text])
    slug = models.CharField(max_length=63, validators=[validate_slug])
    address = models.CharField(
        max_length=253,
        validators=[validate_address],
        help_text="Host name or IP address that the platform connects to.",
    )
    port = models.PositiveIntegerField(default=22, validators=_PORT)
    user = models.CharField(
        max_length=32,
        default="root",
        validators=[validate_user_name],
        help_text="root, or a user who may use sudo without a password.",
    )
    ssh_key = models.ForeignKey(SSHKey, models.PROTECT, related_name="servers", verbose_name="SSH key")
    host_key = models.TextField(blank=True, editable=False, help_text="The pinned public key of the server.")
    host_key_fingerprint = models.CharField(max_length=100, blank=True, editable=False)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING, editable=False)
    status_reason = models.TextField(blank=True, editable=False)
    facts = models.JSONField(default=dict, blank=True, editable=False)
    cpu_overcommit = models.DecimalField(
        max_digits=4,
        decimal_places=2,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(1)), MaxValueValidator(Decimal(16))],
        help_text="How many times the cores may be promised. Memory is never promised twice.",
    )
    http_port = models.PositiveIntegerField("HTTP port", default=80, validators=_PORT)
    https_port = models.PositiveIntegerField("HTTPS port", default=443, validators=_PORT)
    public_address = models.CharField(
        max_length=253,
        blank=True,
        validators=[validate_address],
        help_text="What DNS records point to, where it differs from the address.",
    )
    network_range = models.CharField(
        max_length=43,
        default="10.96.0.0/16",
        validators=[validate_network_range],
        help_text="Private range that the networks of the environments are taken from, 16 addresses each.",
    )
    bootstrapped_at = models.DateTimeField(null=True, editable=False, help_text="When it was last prepared.")
    last_seen_at = models.DateTimeField(null=True, editable=False)
    next_check_at = models.DateTimeField(null=True, editable=False, db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="one_server_per_slug"),
            models.UniqueConstraint(fields=["organization", "address", "port"], name="one_server_per_address"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("servers:detail", args=[self.organization.slug, self.slug])

    @property
    def lock_key(self) -> str:
        """What operations on the server as a whole lock."""
        return f"server:{self.pk}"

    @property
    def is_ready(self) -> bool:
        """New work may be placed here now."""
        return self.status == self.Status.READY

    @property
    def dns_address(self) -> str:
        """Where DNS records for environments point."""
        return self.public_address or self.address


class Installation(BaseModel):
    """This installation of the platform, by whose id a machine knows where it belongs. One row, which lives and is
    restored with the database."""

    is_only = models.BooleanField(default=True, editable=False, unique=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(is_only=True), name="one_installation")]

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def current(cls) -> Installation:
        """The row; made at its first use."""
        return cls.objects.get_or_create(is_only=True)[0]
