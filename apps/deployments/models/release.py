"""What an environment is made of at one moment: image by digest, source by commit, configuration by digest."""

from __future__ import annotations

from django.db import models

from apps.core.models import BaseModel
from apps.environments.models import Environment
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet


class Release(BaseModel):
    """Image, source and configuration of an environment, each named by its content. Written by the deployment that
    makes it, never changed after `applied_at` is set."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="releases")
    number = models.PositiveIntegerField(editable=False)
    odoo_version = models.CharField(max_length=5, editable=False)
    # As asked for ("odoo:19.0"), and as found: "name@sha256:…" where a registry said so, else the id of a local image.
    image = models.CharField(max_length=300, editable=False)
    image_digest = models.CharField(max_length=300, blank=True, editable=False)
    image_id = models.CharField(max_length=80, blank=True, editable=False)
    postgres_image = models.CharField(max_length=300, editable=False)
    # [{position, repository_id, kind, name, slug, url, branch, commit, subdirectory, subject, folder, directories}],
    # highest priority first. `kind` is that of a project's repository, or "platform".
    sources = models.JSONField(default=list, editable=False)
    # {technical name: {version, hash}} of the custom modules that were installed or updated to this state.
    modules = models.JSONField(default=dict, editable=False)
    configuration_digest = models.CharField(max_length=64, blank=True, editable=False)
    # When a deployment of this release succeeded for the first time.
    applied_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TenantQuerySet.as_manager()
    organization_path = "environment__project__organization"

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["environment", "number"], name="release_number")]

    def __str__(self) -> str:
        return f"Release {self.number}"

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.environment.project.organization

    @property
    def primary_commit(self) -> str:
        """The commit of the project's primary repository; empty where the project has none."""
        return next((source["commit"] for source in self.sources if source["kind"] == "primary"), "")
