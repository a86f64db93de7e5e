"""Cloudflare's API, version 4: https://developers.cloudflare.com/api/resources/dns/subresources/records/"""

from __future__ import annotations

from typing import Any

from apps.domains.dns_providers.http_api import HttpDnsWriter


class CloudflareWriter(HttpDnsWriter):
    """Credential `auth_token`: an API token with Zone.Zone read and Zone.DNS edit."""

    endpoint = "https://api.cloudflare.com/client/v4"
    propagation_seconds = 120

    def has_zone(self, zone: str) -> bool:
        """Asks for the zone by its name."""
        return self._zone_id(zone) is not None

    def values(self, zone: str, name: str, record_type: str) -> list[str]:
        """As Cloudflare has it."""
        return [record["content"] for record in self._records(zone, name, record_type)]

    def add(self, zone: str, name: str, record_type: str, value: str, ttl: int) -> None:
        """Never proxied: the proxy of the environment's server terminates TLS itself."""
        if value in self.values(zone, name, record_type):
            return
        content = f'"{value}"' if record_type == "TXT" else value
        record = {"type": record_type, "name": name, "content": content, "ttl": ttl, "proxied": False}
        self.call("POST", f"/zones/{self._zone_id(zone)}/dns_records", zone=zone, json=record)

    def remove(self, zone: str, name: str, record_type: str, value: str) -> None:
        """Deletes by the record's id."""
        for record in self._records(zone, name, record_type):
            if record["content"] == value:
                path = f"/zones/{self._zone_id(zone)}/dns_records/{record['id']}"
                self.call("DELETE", path, zone=zone, missing_is_none=True)

    def words_of(self, document: Any) -> str:
        """`errors: [{code, message}]`."""
        errors = document.get("errors") if isinstance(document, dict) else None
        return "; ".join(f"{entry.get('message')} ({entry.get('code')})" for entry in errors or [])

    def _zone_id(self, zone: str) -> str | None:
        found = self.call("GET", "/zones", zone=zone, params={"name": zone, "per_page": 50})
        return next((entry["id"] for entry in found["result"] if entry["name"] == zone), None)

    def _records(self, zone: str, name: str, record_type: str) -> list[dict[str, Any]]:
        zone_id = self._zone_id(zone)
        if zone_id is None:
            raise self.problem("domains.dns_zone_unknown", name=name)
        parameters = {"type": record_type, "name": name, "per_page": 100}
        found = self.call("GET", f"/zones/{zone_id}/dns_records", zone=zone, params=parameters)["result"]
        matching = [entry for entry in found if entry["name"] == name and entry["type"] == record_type]
        return [{**entry, "content": _bare(entry["content"], record_type)} for entry in matching]


def _bare(content: str, record_type: str) -> str:
    quoted = record_type == "TXT" and len(content) > 1 and content[0] == content[-1] == '"'
    return content[1:-1] if quoted else content.rstrip(".")
