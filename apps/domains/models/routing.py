"""Base domains, and the route of each environment as it stands on its server."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.models import BaseModel
from apps.core.validators import validate_host_name
from apps.domains.models.certificates import Certificate
from apps.domains.models.providers import DnsProvider
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet


class AddressSource(models.TextChoices):
    """Which address a system name points to."""

    PUBLIC = "public", "The server's public address, or the one used for SSH"
    SSH = "ssh", "The address used for SSH"
    NOWHERE = "nowhere", "No record is written (a wildcard record or the client's resolver answers)"


class BaseDomain(BaseModel):
    """A domain under which environments get their system names; its wildcard certificate is shared by all of them."""

    organization = models.ForeignKey(
        "orgs.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="base_domains"
    )
    name = models.CharField(max_length=200, unique=True, validators=[validate_host_name])
    dns_provider = models.ForeignKey(DnsProvider, null=True, blank=True, on_delete=models.PROTECT)
    address_source = models.CharField(max_length=10, choices=AddressSource.choices, default=AddressSource.PUBLIC)
    directory_url = models.URLField(
        "ACME directory", max_length=500, blank=True, help_text="Empty: ACME_DIRECTORY_URL of the settings."
    )
    wildcard_certificate = models.ForeignKey(
        Certificate, null=True, blank=True, on_delete=models.SET_NULL, related_name="base_domains", editable=False
    )
    is_default = models.BooleanField(default=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="domains_one_default_base_domain"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def wildcard_names(self) -> list[str]:
        """The names of its shared certificate, sorted."""
        return sorted([f"*.{self.name}", self.name])


class Route(BaseModel):
    """The route of an environment as last applied on its server's proxy."""

    organization_path = "environment__project__organization"

    environment = models.OneToOneField("environments.Environment", on_delete=models.CASCADE, related_name="route")
    server = models.ForeignKey("servers.Server", on_delete=models.CASCADE, related_name="routes")
    host_name = models.CharField(max_length=253)
    certificate = models.ForeignKey(
        Certificate, null=True, blank=True, on_delete=models.SET_NULL, related_name="routes"
    )
    specification = models.JSONField(default=dict, help_text="The fields of routes.RouteSpecification.")
    applied_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["host_name"]

    def __str__(self) -> str:
        return self.host_name

    @property
    def organization(self) -> Organization:
        """The tenant that the environment belongs to."""
        return self.environment.project.organization
