"""Base domains: under which one a name lies, and what its records point to."""

from __future__ import annotations

from django.db import transaction

from apps.domains.dns_lookup import parents_of
from apps.domains.models import AddressSource, BaseDomain
from apps.platform.current import current
from apps.servers.models import Server


def default_base_domain() -> BaseDomain:
    """The one that the platform's settings name; made at the first use. Where browsers resolve the name to this machine
    by themselves (RFC 6761, section 6.3) no record is needed."""
    name = current().base_domain
    local = name == "localhost" or name.endswith(".localhost")
    source = AddressSource.NOWHERE if local else AddressSource.PUBLIC
    with transaction.atomic():
        is_first = not BaseDomain.objects.filter(is_default=True).exists()
        base, _ = BaseDomain.objects.get_or_create(
            name=name, defaults={"address_source": source, "is_default": is_first}
        )
    return base


def base_domain_of(host_name: str) -> BaseDomain | None:
    """The longest base domain that the name lies under."""
    default = default_base_domain()
    found = BaseDomain.objects.filter(name__in=parents_of(host_name)[1:]).select_related("dns_provider")
    longest = max(found, key=lambda base: len(base.name), default=None)
    return longest or (default if host_name.endswith(f".{default.name}") else None)


def address_for(server: Server, base: BaseDomain | None) -> str:
    """What system names under the base domain point to; empty where no record is wanted."""
    if base is None or base.address_source == AddressSource.NOWHERE:
        return ""
    return server.address if base.address_source == AddressSource.SSH else server.dns_address
