"""Accounts at certificate authorities, certificates, where they were delivered, and the ledger of orders."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.core.fields import EncryptedTextField, unreadable
from apps.core.models import BaseModel
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet


class AcmeAccount(BaseModel):
    """Our registration with one ACME directory (RFC 8555, section 7.3)."""

    directory_url = models.URLField(max_length=500, unique=True)
    contact = models.CharField(max_length=254, blank=True)
    private_key = EncryptedTextField()
    address = models.URLField(max_length=500, blank=True, help_text="The account's URL, once registered.")

    def __str__(self) -> str:
        return self.directory_url


class CertificateStatus(models.TextChoices):
    """Status of a certificate. `failed` keeps an older chain that is still valid in use."""

    PENDING = "pending", "Not ordered yet"
    ISSUING = "issuing", "Being ordered"
    VALID = "valid", "Valid"
    FAILED = "failed", "The last order failed"


class Challenge(models.TextChoices):
    """How the names are proven (RFC 8555, section 8)."""

    HTTP = "http-01", "HTTP-01"
    DNS = "dns-01", "DNS-01"


class CertificateQuerySet(TenantQuerySet):
    """Look-ups over certificates."""

    def usable(self) -> CertificateQuerySet:
        """Those with a chain that has not expired, whatever became of later orders."""
        return self.exclude(chain="").filter(not_after__gt=clock.now())

    def covering(self, host_name: str) -> CertificateQuerySet:
        """Those for the name itself or for the wildcard one label above (RFC 6125, section 6.4.3)."""
        _, _, parent = host_name.partition(".")
        return self.filter(Q(names__contains=[host_name]) | Q(names__contains=[f"*.{parent}"]))

    def for_names_of(self, organization: Organization | None) -> CertificateQuerySet:
        """Those that an organization's names may use: its own, and the platform's."""
        return self.filter(Q(organization=None) | Q(organization=organization))

    def due(self) -> CertificateQuerySet:
        """Wanted ones that were never issued or whose time of renewal has come, unless their last failure is too
        fresh."""
        now = clock.now()
        due = self.filter(Q(renew_at__isnull=True) | Q(renew_at__lte=now), is_wanted=True)
        return due.filter(Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now))


class Certificate(BaseModel):
    """One set of names at one ACME directory; the row stays through renewals, key and chain change."""

    organization = models.ForeignKey(
        "orgs.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="certificates"
    )
    names = ArrayField(models.CharField(max_length=253), help_text="Sorted, lower case.")
    directory_url = models.URLField(max_length=500)
    challenge = models.CharField(max_length=10, choices=Challenge.choices)
    is_wanted = models.BooleanField(default=True, help_text="Renewed while wanted.")
    status = models.CharField(max_length=10, choices=CertificateStatus.choices, default=CertificateStatus.PENDING)
    private_key = EncryptedTextField(default="", blank=True)
    chain = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the leaf, hexadecimal.")
    issuer = models.CharField(max_length=200, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    renew_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row, since the last success.")
    failed_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="The authority's own words.")

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["names"]
        constraints = [models.UniqueConstraint(fields=["directory_url", "names"], name="domains_certificate_names")]

    def __str__(self) -> str:
        return ", ".join(self.names)

    @property
    def lock_key(self) -> str:
        """What operations on it lock."""
        return f"certificate:{self.pk}"

    @property
    def is_shared(self) -> bool:
        """True for a wildcard, which all names of a base domain use."""
        return any(name.startswith("*.") for name in self.names)

    def covers(self, host_name: str) -> bool:
        """True for the name itself and for a wildcard one label above."""
        return host_name in self.names or f"*.{host_name.partition('.')[2]}" in self.names

    @property
    def is_usable(self) -> bool:
        """True while there is a chain that has not expired."""
        return bool(self.chain) and self.not_after is not None and self.not_after > clock.now()

    @property
    def is_due(self) -> bool:
        """True where it must be ordered (again): also when its key cannot be decrypted any more, since no further
        server could get it."""
        if not self.is_usable or unreadable(self):
            return True
        return self.renew_at is not None and self.renew_at <= clock.now()


class CertificateDelivery(BaseModel):
    """Which state of a certificate lies on which server."""

    organization_path = "server__organization"

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="deliveries")
    server = models.ForeignKey("servers.Server", on_delete=models.CASCADE, related_name="certificate_deliveries")
    fingerprint = models.CharField(max_length=64, blank=True)
    tried_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Of the last try, empty when it went well.")

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["certificate", "server"], name="domains_certificate_delivery_unique")
        ]


class OrderOutcome(models.TextChoices):
    """What became of an order. Those that were refused by us never reached the authority."""

    STARTED = "started", "Under way"
    ISSUED = "issued", "Issued"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    REFUSED = "refused", "Not asked: a limit would have been hit"


class CertificateOrder(BaseModel):
    """One line of the ledger; counted against the authority's limits before the next order is made."""

    organization_path = "certificate__organization"

    certificate = models.ForeignKey(Certificate, null=True, on_delete=models.SET_NULL, related_name="orders")
    names = ArrayField(models.CharField(max_length=253))
    registered_domains = ArrayField(models.CharField(max_length=253))
    directory_url = models.URLField(max_length=500)
    challenge = models.CharField(max_length=10, choices=Challenge.choices)
    outcome = models.CharField(max_length=10, choices=OrderOutcome.choices, default=OrderOutcome.STARTED)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    address = models.URLField(max_length=500, blank=True, help_text="The order's URL at the authority.")
    failed_names = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    error_type = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True, help_text="The authority's own words.")
    operation_id = models.UUIDField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["directory_url", "started_at"], name="domains_order_directory"),
        ]

    def __str__(self) -> str:
        return f"{', '.join(self.names)}: {self.get_outcome_display()}"
