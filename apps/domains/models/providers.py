"""Who writes DNS records, and which records were written: removal deletes exactly these."""

from __future__ import annotations

import json

from django.db import models

from apps.core.fields import EncryptedTextField
from apps.core.models import BaseModel
from apps.orgs.querysets import TenantQuerySet


class DnsProviderKind(models.TextChoices):
    """How records get into a zone."""

    RFC2136 = "rfc2136", "Dynamic update (RFC 2136, TSIG)"
    CLOUDFLARE = "cloudflare", "Cloudflare"
    ROUTE53 = "route53", "Amazon Route 53"
    DIGITALOCEAN = "digitalocean", "DigitalOcean"
    MANUAL = "manual", "By hand"


class DnsProvider(BaseModel):
    """An account that writes records. Without an organization it belongs to the platform.

    `settings` are not secret: `server, port, key_name, key_algorithm, zone` (rfc2136), `endpoint, zone` (the others).
    `credentials` is a JSON object: `key_secret`; `auth_token`; `auth_access_key, auth_access_secret`.
    """

    organization = models.ForeignKey(
        "orgs.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="dns_providers"
    )
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=DnsProviderKind.choices)
    settings = models.JSONField(default=dict, blank=True)
    credentials = EncryptedTextField(default="", blank=True)
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_error = models.TextField(blank=True, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], nulls_distinct=False, name="domains_dns_provider_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"

    @property
    def secrets(self) -> dict[str, str]:
        """The credentials as a dictionary; empty where the kind needs none."""
        return json.loads(self.credentials) if self.credentials else {}

    @property
    def is_automatic(self) -> bool:
        """True where the platform writes the records itself."""
        return self.kind != DnsProviderKind.MANUAL


class RecordType(models.TextChoices):
    """The types that we write."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    TXT = "TXT"


class DnsRecord(BaseModel):
    """One record written by us at a provider. The row is stored before the record is written, and goes after it."""

    organization_path = "provider__organization"
    project_path = "environment__project"

    provider = models.ForeignKey(DnsProvider, on_delete=models.PROTECT, related_name="records")
    environment = models.ForeignKey(
        "environments.Environment", null=True, blank=True, on_delete=models.SET_NULL, related_name="dns_records"
    )
    zone = models.CharField(max_length=253, blank=True)
    name = models.CharField(max_length=253)
    record_type = models.CharField(max_length=5, choices=RecordType.choices)
    value = models.CharField(max_length=1000)
    ttl = models.PositiveIntegerField(help_text="Seconds.")
    written_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name", "record_type"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "name", "record_type", "value"], name="domains_dns_record_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.record_type} {self.value}"
