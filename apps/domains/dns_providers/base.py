"""What every DNS provider can do, whatever protocol it speaks."""

from __future__ import annotations

import abc
from typing import ClassVar

from apps.core.exceptions import Problem
from apps.domains.dns_lookup import NameServer, authoritative_servers, parents_of, parse_name_servers
from apps.domains.models import DnsProvider


class DnsWriter(abc.ABC):
    """Writes records through one provider's account.

    Names are absolute without the last dot, values as people write them (TXT without quotes). Every call has a
    time-out. Raises Problem `domains.dns_*`; `provider` in its text is the provider's name.
    """

    # Keys of `settings` and `credentials` without which nothing works.
    needed_settings: ClassVar[tuple[str, ...]] = ()
    needed_credentials: ClassVar[tuple[str, ...]] = ()
    # How long a change may take until all of the provider's servers show it, in seconds; a setting of the same name
    # overrules it.
    propagation_seconds: ClassVar[int] = 600
    smallest_ttl: ClassVar[int] = 60

    def __init__(self, provider: DnsProvider) -> None:
        self.provider = provider
        self.settings = provider.settings
        self.credentials = provider.secrets
        missing = [name for name in self.needed_settings if not self.settings.get(name)]
        missing += [name for name in self.needed_credentials if not self.credentials.get(name)]
        if missing:
            words = f"{', '.join(missing)} is missing"
            raise Problem("domains.dns_settings_incomplete", provider=provider.name, missing=words)

    @abc.abstractmethod
    def check_settings(self) -> None:
        """Raises Problem where the settings cannot work: a key that is none, an address that is not allowed. Asks
        nobody but the resolver."""

    @property
    def seconds_to_propagate(self) -> float:
        """How long to wait for a change to show."""
        return float(self.settings.get("propagation_seconds") or self.propagation_seconds)

    def zone_of(self, name: str) -> str:
        """The provider's zone that holds the name: the one named in the settings, or the longest that it has."""
        configured = str(self.settings.get("zone", "")).rstrip(".").lower()
        candidates = parents_of(name)
        if configured:
            if configured in candidates:
                return configured
            raise self.problem("domains.dns_zone_unknown", name=name)
        for candidate in candidates:
            if self.has_zone(candidate):
                return candidate
        raise self.problem("domains.dns_zone_unknown", name=name)

    @abc.abstractmethod
    def has_zone(self, zone: str) -> bool:
        """True where the account holds exactly this zone."""

    @abc.abstractmethod
    def values(self, zone: str, name: str, record_type: str) -> list[str]:
        """The values of the record set as the provider has it now."""

    @abc.abstractmethod
    def add(self, zone: str, name: str, record_type: str, value: str, ttl: int) -> None:
        """Adds one value to the record set, leaving the others alone. Harmless when it is there. `ttl` in seconds."""

    @abc.abstractmethod
    def remove(self, zone: str, name: str, record_type: str, value: str) -> None:
        """Removes this one value. Harmless when it is not there."""

    def name_servers(self, zone: str) -> list[NameServer]:
        """Who must show a change before the world is told: those in the settings, or those of the delegation."""
        configured = self.settings.get("name_servers") or []
        try:
            return parse_name_servers(configured) if configured else authoritative_servers(zone)
        except (OSError, ValueError) as error:
            raise self.problem("domains.dns_unreachable", words=error) from error

    def problem(self, code: str, **context: object) -> Problem:
        """A problem that names the provider."""
        return Problem(code, provider=self.provider.name, **context)
