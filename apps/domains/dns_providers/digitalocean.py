"""DigitalOcean's API, version 2: https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records"""

from __future__ import annotations

from typing import Any

from apps.domains.dns_providers.http_api import HttpDnsWriter


class DigitalOceanWriter(HttpDnsWriter):
    """Credential `auth_token`: a personal access token with the scope `domain`."""

    endpoint = "https://api.digitalocean.com/v2"
    propagation_seconds = 300
    smallest_ttl = 30

    def has_zone(self, zone: str) -> bool:
        """Asks for the domain by its name."""
        return self.call("GET", f"/domains/{zone}", zone=zone, missing_is_none=True) is not None

    def values(self, zone: str, name: str, record_type: str) -> list[str]:
        """As DigitalOcean has it."""
        return [record["data"].rstrip(".") for record in self._records(zone, name, record_type)]

    def add(self, zone: str, name: str, record_type: str, value: str, ttl: int) -> None:
        """Names are relative to the zone there; the target of a CNAME ends with a dot."""
        if value in self.values(zone, name, record_type):
            return
        relative = name.removesuffix(zone).rstrip(".") or "@"
        data = f"{value}." if record_type == "CNAME" else value
        record = {"type": record_type, "name": relative, "data": data, "ttl": ttl}
        self.call("POST", f"/domains/{zone}/records", zone=zone, json=record)

    def remove(self, zone: str, name: str, record_type: str, value: str) -> None:
        """Deletes by the record's id."""
        for record in self._records(zone, name, record_type):
            if record["data"].rstrip(".") == value:
                self.call("DELETE", f"/domains/{zone}/records/{record['id']}", zone=zone, missing_is_none=True)

    def _records(self, zone: str, name: str, record_type: str) -> list[dict[str, Any]]:
        parameters = {"type": record_type, "name": name, "per_page": 200}
        found = self.call("GET", f"/domains/{zone}/records", zone=zone, params=parameters)["domain_records"]
        relative = name.removesuffix(zone).rstrip(".") or "@"
        return [entry for entry in found if entry["name"] == relative and entry["type"] == record_type]
