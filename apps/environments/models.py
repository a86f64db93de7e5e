"""Environments: facts about one deployable Odoo with its database."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.core.fields import EncryptedTextField
from apps.core.models import BaseModel
from apps.core.validators import validate_git_reference, validate_plain_text, validate_slug, validate_variable_name
from apps.environments import allocation, secret
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.projects.models import Project, Repository
from apps.servers.models import Server


class EnvironmentType(models.TextChoices):
    """What an environment is for; sets its defaults and its branches."""

    DEVELOPMENT = "development", "Development"
    STAGING = "staging", "Staging"
    PRODUCTION = "production", "Production"


class PoolMode(models.TextChoices):
    """How PgBouncer shares connections to the environment's database. In transaction mode LISTEN does not work there,
    which the module queue_job needs; `postgres`, where Odoo itself listens, is pooled by session in both."""

    SESSION = "session", "By session"
    TRANSACTION = "transaction", "By transaction"


class Status(models.TextChoices):
    """Where an environment is in its life; what may be done in each is in `states.py`."""

    PENDING = "pending", "Pending"
    DEPLOYING = "deploying", "Deploying"
    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped"
    PAUSED = "paused", "Paused"
    CLONING = "cloning", "Cloning"
    ERROR = "error", "Error"
    DESTROYING = "destroying", "Destroying"
    DELETED = "deleted", "Deleted"


class EnvironmentQuerySet(TenantQuerySet):
    """Environments, narrowed."""

    def existing(self) -> EnvironmentQuerySet:
        """Those that were not destroyed."""
        return self.exclude(status=Status.DELETED)

    def without_secrets(self) -> EnvironmentQuerySet:
        """The same rows for a list, which shows no secret: none is read, and none decrypted."""
        return self.defer(*_SECRETS)


_SECRETS = ("database_password", "master_password", "admin_password", "admin_password_hash")
_EXISTS = ~Q(status=Status.DELETED)


class Environment(BaseModel):
    """Odoo, PostgreSQL and (optionally) PgBouncer, on one server, with a network and folders of their own."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="environments")
    server = models.ForeignKey(Server, on_delete=models.PROTECT, null=True, blank=True, related_name="environments")
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    slug = models.CharField(max_length=63, validators=[validate_slug])
    environment_type = models.CharField(max_length=12, choices=EnvironmentType.choices)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING, editable=False)
    status_reason = models.CharField(max_length=500, blank=True, editable=False)
    branch = models.CharField(max_length=200, validators=[validate_git_reference])
    host_name = models.CharField(max_length=253, editable=False)
    auto_deploy = models.BooleanField(default=False)
    # New databases only: the seed's key contains both.
    language = models.CharField(max_length=10, default="en_US")
    demo_data = models.BooleanField(default=False)

    cpu = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(allocation.MINIMUM_CPU), MaxValueValidator(128)]
    )
    memory_megabytes = models.PositiveIntegerField(
        validators=[MinValueValidator(allocation.MINIMUM_MEMORY_MEGABYTES), MaxValueValidator(1024 * 1024)]
    )
    disk_megabytes = models.PositiveIntegerField(
        validators=[MinValueValidator(allocation.MINIMUM_DISK_MEGABYTES), MaxValueValidator(64 * 1024 * 1024)]
    )

    # What follows is derived from the allocation, except the fields named in `tuned_fields`, which a person set.
    workers = models.PositiveSmallIntegerField(validators=[MaxValueValidator(allocation.MAXIMUM_WORKERS)])
    max_cron_threads = models.PositiveSmallIntegerField(validators=[MaxValueValidator(16)])
    db_maxconn = models.PositiveSmallIntegerField(validators=[MinValueValidator(2), MaxValueValidator(512)])
    pool_size = models.PositiveSmallIntegerField(validators=[MinValueValidator(5), MaxValueValidator(2000)])
    max_connections = models.PositiveSmallIntegerField(validators=[MinValueValidator(20), MaxValueValidator(5000)])
    tuned_fields = models.JSONField(default=list, blank=True, editable=False)
    use_pgbouncer = models.BooleanField(default=True)
    pool_mode = models.CharField(max_length=11, choices=PoolMode.choices, default=PoolMode.SESSION)
    postgres_parameters = models.JSONField(default=dict, blank=True)
    odoo_parameters = models.JSONField(default=dict, blank=True)

    # On the host: a /28 of the server's range, and who has which address in it (see `network.py`).
    subnet = models.CharField(max_length=18, blank=True, editable=False)
    addresses = models.JSONField(default=dict, blank=True, editable=False)

    database_name = models.CharField(max_length=63, editable=False)
    database_password = EncryptedTextField(default=secret.generate, editable=False)
    master_password = EncryptedTextField(default=secret.generate, editable=False)
    admin_login = models.CharField(max_length=100, default="admin", editable=False)
    admin_password = EncryptedTextField(default=secret.generate, editable=False)
    # As we wrote it into the database: a different one there means that somebody changed the password.
    admin_password_hash = models.CharField(max_length=300, blank=True, editable=False)
    admin_password_changed = models.BooleanField(default=False, editable=False)

    # What we wrote into the database as Odoo's own address: it follows a change of ours as long as it stands there.
    base_url = models.CharField(max_length=300, blank=True, editable=False)

    needs_redeploy = models.BooleanField(default=False, editable=False)
    # What changed since the last deployment, in words: shown beside the button that applies it.
    pending_changes = models.JSONField(default=list, blank=True, editable=False)
    synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    destroyed_at = models.DateTimeField(null=True, blank=True, editable=False)
    purge_after = models.DateTimeField(null=True, blank=True, editable=False)
    purged_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = EnvironmentQuerySet.as_manager()
    organization_path = "project__organization"

    class Meta:
        ordering = ["project", "environment_type", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], condition=_EXISTS, name="environment_slug"),
            models.UniqueConstraint(fields=["host_name"], condition=_EXISTS, name="environment_host_name"),
            models.UniqueConstraint(fields=["server", "subnet"], condition=~Q(subnet=""), name="environment_subnet"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="environment_status"),
        ]
        indexes = [models.Index(fields=["purge_after"], condition=Q(purged_at=None), name="environment_purge")]

    def __str__(self) -> str:
        return self.name

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.project.organization

    @property
    def lock_key(self) -> str:
        """One operation at a time holds this."""
        return f"environment:{self.pk}"

    @property
    def url(self) -> str:
        """Where its Odoo answers; with the port where the server's proxy is not on 443."""
        port = self.server.https_port if self.server else 443
        return f"https://{self.host_name}" + (f":{port}" if port != 443 else "")

    @property
    def allocation(self) -> allocation.Allocation:
        """Who of its containers gets what."""
        return allocation.split(
            cpu=self.cpu,
            memory_megabytes=self.memory_megabytes,
            workers=self.workers,
            max_cron_threads=self.max_cron_threads,
            use_pgbouncer=self.use_pgbouncer,
        )

    def container_name(self, part: str) -> str:
        """The name of one of its containers on the host: `odoo`, `db` or `pgbouncer`."""
        return f"{self.pk}_{part}"


class EnvironmentVariable(BaseModel):
    """A variable that Odoo's container gets at the next deployment."""

    class Kind(models.TextChoices):
        STRING = "string", "Text"
        NUMBER = "number", "Number"
        BOOLEAN = "boolean", "Yes or no"
        JSON = "json", "JSON"

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="variables")
    key = models.CharField(max_length=128, validators=[validate_variable_name])
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.STRING)
    value = EncryptedTextField(blank=True, default="")
    # A sensitive value is never shown again, and is masked in every log.
    sensitive = models.BooleanField(default=False)

    objects = TenantQuerySet.as_manager()
    organization_path = "environment__project__organization"

    class Meta:
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["environment", "key"], name="environment_variable_key")]

    def __str__(self) -> str:
        return self.key

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.environment.project.organization


class RepositoryOverride(BaseModel):
    """What one environment does differently with a repository of its project. No row: it inherits everything."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="repository_overrides")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="overrides")
    branch = models.CharField(max_length=200, blank=True, validators=[validate_git_reference])
    excluded = models.BooleanField(default=False)

    objects = TenantQuerySet.as_manager()
    organization_path = "environment__project__organization"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "repository"], name="repository_override")]

    def __str__(self) -> str:
        return f"{self.environment}: {self.repository}"

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.environment.project.organization
