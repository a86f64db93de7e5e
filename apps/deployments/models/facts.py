"""What was read once and never changes: facts about an image, the modules in a commit, a kept first install."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.models import BaseModel
from apps.operations.models import Operation
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.platform.models import PlatformRepository
from apps.projects.models import Repository
from apps.servers.models import Server


class ImageFacts(BaseModel):
    """Who the processes of an image run as. An image id names content, so this holds for ever. What a server says of an
    image is believed for that server alone: somebody who owns another one could say anything."""

    organization_path = "server__organization"

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="image_facts")
    image_id = models.CharField(max_length=80)
    user = models.CharField(max_length=64, blank=True)
    uid = models.PositiveIntegerField()
    gid = models.PositiveIntegerField()
    # Odoo images: what the image's own odoo.conf names, behind everything of ours.
    addons_path = models.JSONField(default=list)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "image facts"
        constraints = [models.UniqueConstraint(fields=["server", "image_id"], name="image_facts_of_server")]

    def __str__(self) -> str:
        return self.image_id


class SourceSnapshot(BaseModel):
    """The modules that one commit of a repository holds: of a project's repository, or of one of the platform. What the
    platform's hold is nobody's secret and no tenant's row."""

    repository = models.ForeignKey(
        Repository, on_delete=models.CASCADE, null=True, blank=True, related_name="snapshots"
    )
    platform_repository = models.ForeignKey(
        PlatformRepository, on_delete=models.CASCADE, null=True, blank=True, related_name="snapshots"
    )
    commit = models.CharField(max_length=64)
    subdirectory = models.CharField(max_length=200, blank=True)
    # The folders that hold modules, as addons_path needs them.
    directories = models.JSONField(default=list)
    # {technical name: {path, version, depends, installable, auto_install, hash}}
    modules = models.JSONField(default=dict)

    objects = TenantQuerySet.as_manager()
    organization_path = "repository__project__organization"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "commit", "subdirectory"], name="source_snapshot_commit"),
            models.UniqueConstraint(
                fields=["platform_repository", "commit", "subdirectory"], name="source_snapshot_platform_commit"
            ),
            models.CheckConstraint(
                condition=Q(repository__isnull=True) ^ Q(platform_repository__isnull=True),
                name="source_snapshot_one_repository",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository or self.platform_repository} {self.commit[:12]}"

    @property
    def organization(self) -> Organization | None:
        """The tenant that it belongs to; None where it is the platform's."""
        return self.repository.project.organization if self.repository else None


class Seed(BaseModel):
    """A stopped PostgreSQL data folder and filestore on a server: the first install of a key, copied by later ones."""

    class Status(models.TextChoices):
        """`making`: a folder may be there but is not whole. `ready`: whole, never written again."""

        MAKING = "making"
        READY = "ready"

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="seeds")
    # Where custom modules are part of the key, their organization is too: nobody starts from another's install.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="seeds"
    )
    key = models.CharField(max_length=64)
    made_by = models.ForeignKey(Operation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.MAKING)
    odoo_version = models.CharField(max_length=5)
    image_id = models.CharField(max_length=80)
    postgres_image_id = models.CharField(max_length=80)
    language = models.CharField(max_length=10)
    demo_data = models.BooleanField(default=False)
    # {technical name: content hash} of everything installed besides what base brings.
    modules = models.JSONField(default=dict)
    # Every module that the install brought along, Odoo's own among them.
    installed = models.JSONField(default=list)
    # Names inside the copied cluster, which a copy replaces by its own.
    database_name = models.CharField(max_length=63)
    role_name = models.CharField(max_length=63)
    size_megabytes = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()
    organization_path = "server__organization"

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["server", "key"], name="seed_key")]

    def __str__(self) -> str:
        return f"Seed {self.key[:12]}"
