"""Names and certificates as they are stored."""

from __future__ import annotations

from apps.domains.models.certificates import (
    AcmeAccount,
    Certificate,
    CertificateDelivery,
    CertificateOrder,
    CertificateStatus,
    Challenge,
    OrderOutcome,
)
from apps.domains.models.providers import DnsProvider, DnsProviderKind, DnsRecord, RecordType
from apps.domains.models.routing import AddressSource, BaseDomain, Route

__all__ = [
    "AcmeAccount",
    "AddressSource",
    "BaseDomain",
    "Certificate",
    "CertificateDelivery",
    "CertificateOrder",
    "CertificateStatus",
    "Challenge",
    "DnsProvider",
    "DnsProviderKind",
    "DnsRecord",
    "OrderOutcome",
    "RecordType",
    "Route",
]
