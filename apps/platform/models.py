"""The platform's own settings, Odoo's versions, and the repositories that every organization can use."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.core.fields import EncryptedTextField
from apps.core.models import BaseModel
from apps.core.validators import (
    validate_host_name,
    validate_image_reference,
    validate_plain_text,
    validate_slug,
)
from apps.platform import signals
from apps.platform.validators import (
    validate_platform_url,
    validate_sender,
    validate_version,
    validate_version_map,
)

SINGLETON = 1
ENVIRONMENT_TYPES = ("development", "staging", "production")


class PlatformSettings(models.Model):
    """One row. What is empty is as the installation's environment variables say (docs/operations-guide.md)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    base_domain = models.CharField(
        max_length=200,
        blank=True,
        validators=[validate_host_name],
        help_text="New environments get their names under it. Names that were given stay.",
    )
    acme_directory_url = models.CharField(
        "ACME directory", max_length=500, blank=True, validators=[URLValidator(schemes=["https"])]
    )
    acme_contact = models.EmailField(
        "ACME contact", blank=True, help_text="For accounts that are registered from now on."
    )
    mail_sender = models.CharField(
        max_length=254, blank=True, validators=[validate_sender], help_text="Such as OEC.SH <no-reply@example.com>."
    )
    environments_per_server = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )
    server_reserved_megabytes = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(65536)],
        help_text="Memory of a server that environments do not get.",
    )
    destroyed_retention_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(365)],
        help_text="How long a destroyed environment can be brought back.",
    )
    audit_retention_days = models.PositiveIntegerField(
        default=365,
        validators=[MinValueValidator(30), MaxValueValidator(3650)],
        help_text="For events that belong to no organization. Each organization sets its own.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "platform settings"
        constraints = [models.CheckConstraint(condition=Q(id=SINGLETON), name="platform_settings_one_row")]

    def __str__(self) -> str:
        return "Platform settings"


class OdooSeries(BaseModel):
    """A version of Odoo: which images it is made of, and whether it is offered still."""

    version = models.CharField(max_length=5, unique=True, validators=[validate_version])
    image = models.CharField(
        max_length=300, blank=True, validators=[validate_image_reference], help_text="Empty: the usual image."
    )
    postgres_image = models.CharField(
        "PostgreSQL image",
        max_length=300,
        blank=True,
        validators=[validate_image_reference],
        help_text="Empty: the usual image. Environments that exist keep theirs.",
    )
    supported_until = models.DateField(null=True, blank=True, help_text="When Odoo's own support ends.")
    is_offered = models.BooleanField(default=True, help_text="New projects can choose it. Projects that have it stay.")

    class Meta:
        ordering = ["-version"]
        verbose_name_plural = "Odoo series"

    def __str__(self) -> str:
        return f"Odoo {self.version}"

    @property
    def is_end_of_life(self) -> bool:
        """True once Odoo does not support it any more."""
        return self.supported_until is not None and self.supported_until < clock.now().date()

    @property
    def label(self) -> str:
        """What a list of versions shows."""
        return f"{self} (end of life)" if self.is_end_of_life else str(self)


class EnvironmentSize(BaseModel):
    """What a new environment of a type gets where nobody chose anything. What is empty is as usual."""

    environment_type = models.CharField(
        max_length=12, unique=True, choices=[(name, name.capitalize()) for name in ENVIRONMENT_TYPES]
    )
    cpu = models.DecimalField("CPU cores", max_digits=5, decimal_places=2, null=True, blank=True)
    memory_megabytes = models.PositiveIntegerField("memory (MB)", null=True, blank=True)
    disk_megabytes = models.PositiveIntegerField("disk (MB)", null=True, blank=True)
    workers = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Of an environment that takes this CPU and memory. Empty: as many as they carry.",
    )

    class Meta:
        ordering = ["environment_type"]

    def __str__(self) -> str:
        return f"Size of a new {self.environment_type} environment"

    def clean(self) -> None:
        """The bounds are those of every environment, and the numbers fit each other: the layer above knows both."""
        signals.environment_size_checked.send(EnvironmentSize, size=self)


class PlatformRepository(BaseModel):
    """Modules that the platform offers to every organization, with a branch for each version of Odoo."""

    name = models.CharField(max_length=80, validators=[validate_plain_text])
    slug = models.CharField(max_length=63, unique=True, validators=[validate_slug])
    description = models.CharField(max_length=300, blank=True, validators=[validate_plain_text])
    url = models.CharField(max_length=500, validators=[validate_platform_url])
    branch_map = models.JSONField(
        validators=[validate_version_map], help_text='A branch for each version of Odoo: {"19.0": "19.0"}.'
    )
    username = models.CharField(max_length=100, blank=True, validators=[validate_plain_text])
    token = EncryptedTextField(blank=True, default="")
    # Lower comes first in addons_path.
    priority = models.PositiveSmallIntegerField(default=100, validators=[MaxValueValidator(9999)])
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["priority", "slug"]
        verbose_name_plural = "platform repositories"

    def __str__(self) -> str:
        return self.name

    def branch_for(self, version: str) -> str:
        """The branch for a version of Odoo; empty where there is none, so that the repository is left out."""
        return self.branch_map.get(version, "")
