"""Projects, their repositories, and the credentials that reach repositories and registries."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from apps.core.fields import EncryptedTextField
from apps.core.models import BaseModel
from apps.core.validators import (
    validate_git_reference,
    validate_image_reference,
    validate_plain_text,
    validate_slug,
)
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.orgs.roles import ProjectRole
from apps.projects import validators


class OdooVersion(models.TextChoices):
    """The series that the platform runs. Each has its own rules for configuration, health and routes."""

    V14 = "14.0", "Odoo 14.0"
    V15 = "15.0", "Odoo 15.0"
    V16 = "16.0", "Odoo 16.0"
    V17 = "17.0", "Odoo 17.0"
    V18 = "18.0", "Odoo 18.0"
    V19 = "19.0", "Odoo 19.0"


class GitCredential(BaseModel):
    """What opens a private repository: an access token (HTTPS) or a key pair (SSH)."""

    class Kind(models.TextChoices):
        TOKEN = "token", "Access token"
        SSH_KEY = "ssh_key", "Deploy key"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="git_credentials")
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # A token is sent to this Git server (host or host:port) and to no other, whatever address somebody enters.
    host = models.CharField(max_length=255, blank=True, validators=[validators.validate_host_and_port])
    username = models.CharField(max_length=100, blank=True, validators=[validators.validate_user_name])
    token = EncryptedTextField(blank=True, default="")
    private_key = EncryptedTextField(blank=True, default="")
    public_key = models.TextField(blank=True, default="")
    # Lines as in OpenSSH's known_hosts: pinned at first use, a changed key stops everything.
    known_host = models.TextField(blank=True, default="")

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="git_credential_name")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A token without its Git server could be sent to anybody's."""
        if self.kind == self.Kind.TOKEN and not self.host:
            raise ValidationError({"host": "Name the Git server that the token is for."})


class RegistryAccount(BaseModel):
    """The sign-in for a container registry. Passed to Docker by its API, never stored on a host."""

    class Kind(models.TextChoices):
        DOCKER_HUB = "docker_hub", "Docker Hub"
        GHCR = "ghcr", "GitHub Container Registry"
        GITLAB = "gitlab", "GitLab Container Registry"
        ECR = "ecr", "Amazon ECR"
        OTHER = "other", "Another registry"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="registry_accounts")
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    kind = models.CharField(max_length=12, choices=Kind.choices)
    host = models.CharField(max_length=255, validators=[validators.validate_host_and_port])
    username = models.CharField(max_length=200, validators=[validate_plain_text])
    password = EncryptedTextField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="registry_account_name")]

    def __str__(self) -> str:
        return self.name


class Project(BaseModel):
    """One Odoo application. It is not deployed itself: its environments are."""

    project_path = "pk"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    slug = models.CharField(max_length=40, validators=[validate_slug, validators.validate_project_slug])
    description = models.CharField(max_length=300, blank=True, validators=[validate_plain_text])
    odoo_version = models.CharField(max_length=5, choices=OdooVersion.choices)
    # Empty: the official image of the version.
    image = models.CharField(max_length=300, blank=True, validators=[validate_image_reference])
    registry_account = models.ForeignKey(
        RegistryAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="projects"
    )
    default_branch = models.CharField(max_length=200, default="main", validators=[validate_git_reference])
    # Technical names, installed at the first deployment and kept so. Empty: every installable module of the primary
    # repository; ["base"]: none of them.
    install_modules = models.JSONField(default=list, blank=True, validators=[validators.validate_module_names])
    # Code that others share stands in addons_path then, behind everything of the project's own.
    use_platform_repositories = models.BooleanField(default=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        # The objects of django-guardian's rows: which person or team has which role here.
        permissions = [(f"role_{role}", f"Role: {label}") for role, label in ProjectRole.choices]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="project_slug"),
            models.CheckConstraint(condition=Q(odoo_version__in=OdooVersion.values), name="project_odoo_version"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A registry account of another organization is as unknown as one that does not exist, and one of another
        registry than the image's is of no use."""
        account = self.registry_account
        if account is not None and account.organization_id != self.organization_id:
            raise ValidationError({"registry_account": "Choose a registry account of this organization."})
        if account is not None and self.image:
            validators.validate_account_fits(self.image, account.host)

    @property
    def primary_repository(self) -> Repository | None:
        """The repository with the application's own modules, if the project has one already."""
        return self.repositories.filter(kind=Repository.Kind.PRIMARY).first()


class Repository(BaseModel):
    """Source of a project: its own modules, shared modules, or Odoo Enterprise."""

    class Kind(models.TextChoices):
        PRIMARY = "primary", "Primary"
        MODULE = "module", "Modules, a branch for each type of environment"
        ADDITIONAL = "additional", "Additional modules, one branch"
        ENTERPRISE = "enterprise", "Odoo Enterprise"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="repositories")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    slug = models.CharField(max_length=63, validators=[validate_slug])
    url = models.CharField(max_length=500, validators=[validators.validate_repository_url])
    branch = models.CharField(max_length=200, validators=[validate_git_reference])
    # {"development": "develop", …}; a type that is absent uses `branch`.
    branch_map = models.JSONField(default=dict, blank=True, validators=[validators.validate_branch_map])
    credential = models.ForeignKey(
        GitCredential, on_delete=models.PROTECT, null=True, blank=True, related_name="repositories"
    )
    # Lower comes first in addons_path, within its kind.
    priority = models.PositiveSmallIntegerField(default=100, validators=[MaxValueValidator(9999)])
    # Where the modules lie inside the repository; empty: at its top.
    subdirectory = models.CharField(max_length=200, blank=True, validators=[validators.validate_subdirectory])
    last_fetched_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TenantQuerySet.as_manager()
    organization_path = "project__organization"

    class Meta:
        ordering = ["kind", "priority", "slug"]
        verbose_name_plural = "repositories"
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], name="repository_slug"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(kind="primary"), name="repository_one_primary_per_project"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.project.organization

    @property
    def is_shallow(self) -> bool:
        """Odoo Enterprise is fetched without its long history (see `git_sources.GitSource`)."""
        return self.kind == self.Kind.ENTERPRISE

    def branch_for(self, environment_type: str) -> str:
        """The branch that environments of this type take when they have none of their own."""
        return self.branch_map.get(environment_type) or self.branch

    def clean(self) -> None:
        """The credential belongs to the same organization and fits the address."""
        if self.credential is None:
            return
        if self.credential.organization_id != self.project.organization_id:
            raise ValidationError({"credential": "Choose a credential of this organization."})
        validators.validate_credential_fits(self.url, self.credential.kind, self.credential.host)
