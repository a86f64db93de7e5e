"""Trying a DNS provider out: a record is written, seen, and removed."""

from __future__ import annotations

import secrets

from apps.core import clock
from apps.core.exceptions import Problem
from apps.domains import dns_records
from apps.domains.dns_providers import writer_for
from apps.domains.models import BaseDomain, DnsProvider

TEST_TTL = 60


def try_provider(provider: DnsProvider) -> str:
    """Writes a TXT record under each base domain of the provider, reads it at the provider, and removes it. Returns a
    sentence, or raises Problem `domains.dns_*`; either is kept with the provider."""
    try:
        text = _try(provider)
    except Problem as problem:
        _keep(provider, f"{problem.title} {problem.what_to_do}")
        raise
    _keep(provider, "")
    return text


def _try(provider: DnsProvider) -> str:
    writer = writer_for(provider)
    names = list(BaseDomain.objects.filter(dns_provider=provider).values_list("name", flat=True))
    for name in names:
        value = f"test-{secrets.token_hex(8)}"
        record = dns_records.ensure_txt(provider, f"_oecsh-test.{name}", value, ttl=TEST_TTL)
        try:
            found = writer.values(record.zone, record.name, record.record_type)
        finally:
            dns_records.remove(record)
        if value not in found:
            raise writer.problem(
                "domains.dns_refused", name=record.name, words="the record was taken, but is not there"
            )
    if not names:
        return "Its settings are complete. No base domain uses it yet, so nothing was written."
    return f"A record was written and removed under {', '.join(names)}."


def _keep(provider: DnsProvider, error: str) -> None:
    provider.tested_at, provider.test_error = clock.now(), error
    provider.save(update_fields=["tested_at", "test_error", "updated_at"])
