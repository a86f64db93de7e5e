"""The providers that the platform can write records with."""

from __future__ import annotations

from apps.core.exceptions import Problem
from apps.domains.dns_providers.base import DnsWriter
from apps.domains.models import DnsProvider, DnsProviderKind


def writer_for(provider: DnsProvider) -> DnsWriter:
    """What writes through this provider. Raises Problem `domains.dns_settings_incomplete`, and `domains.dns_by_hand`
    for the kind where a person does it."""
    if provider.kind == DnsProviderKind.MANUAL:
        raise Problem("domains.dns_by_hand", provider=provider.name)
    return _writer_class(provider.kind)(provider)


def _writer_class(kind: str) -> type[DnsWriter]:
    # Imported when needed: a process that never writes a record does not load them.
    if kind == DnsProviderKind.RFC2136:
        from apps.domains.dns_providers.rfc2136 import Rfc2136Writer

        return Rfc2136Writer
    if kind == DnsProviderKind.CLOUDFLARE:
        from apps.domains.dns_providers.cloudflare import CloudflareWriter

        return CloudflareWriter
    if kind == DnsProviderKind.DIGITALOCEAN:
        from apps.domains.dns_providers.digitalocean import DigitalOceanWriter

        return DigitalOceanWriter
    from apps.domains.dns_providers.route53 import Route53Writer

    return Route53Writer
