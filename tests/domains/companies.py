"""Small stand-ins for companies' DNS services, speaking their protocols. What they hold is in `records`."""

from __future__ import annotations

import ipaddress
import itertools
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "token-of-the-test"
NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"


@dataclass
class Zones:
    """What every such service holds: zones, and records by a number."""

    zones: list[str] = field(default_factory=lambda: ["example.com"])
    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    calls: list[str] = field(default_factory=list)
    failure: tuple[int, Any] | None = None

    def values(self, name: str, record_type: str) -> list[str]:
        found = (entry for entry in self.records.values() if (entry["name"], entry["type"]) == (name, record_type))
        return sorted(entry["value"] for entry in found)

    def put(self, name: str, record_type: str, value: str, ttl: int) -> int:
        number = next(self.numbers)
        self.records[number] = {"name": name, "type": record_type, "value": value, "ttl": ttl}
        return number

    def __call__(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        if self.failure is not None:
            return self.failure
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return self.answer(method, unquote(parts.path), query, body, headers)

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> tuple[int, Any]:
        raise NotImplementedError


class Cloudflare(Zones):
    """https://developers.cloudflare.com/api/ (version 4): zone and record identifiers, a quoted TXT."""

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 403, self.said(9109, "Invalid access token")
        if path == "/zones":
            found = [{"id": f"id-of-{zone}", "name": zone} for zone in self.zones if query.get("name", zone) == zone]
            return 200, self.list(found)
        _, _, zone_id, _, *rest = path.split("/")
        if zone_id.removeprefix("id-of-") not in self.zones:
            return 404, self.said(7003, "Could not route to the zone")
        if method == "GET":
            found = [
                {"id": str(number), "name": entry["name"], "type": entry["type"], "content": entry["value"]}
                for number, entry in self.records.items()
                if (entry["name"], entry["type"]) == (query["name"], query["type"])
            ]
            return 200, self.list(found)
        if method == "POST":
            wanted = json.loads(body)
            if wanted["type"] == "A" and not is_address(wanted["content"]):
                return 400, self.said(9005, "Content for A record must be a valid IPv4 address.")
            assert wanted["proxied"] is False
            self.put(wanted["name"], wanted["type"], wanted["content"], wanted["ttl"])
            return 200, {"success": True, "errors": [], "result": {}}
        if self.records.pop(int(rest[0]), None) is None:
            return 404, self.said(81044, "Record does not exist.")
        return 200, {"success": True, "errors": [], "result": {"id": rest[0]}}

    @staticmethod
    def list(found: list[dict[str, str]]) -> dict[str, Any]:
        return {"success": True, "errors": [], "result": found, "result_info": {"page": 1, "total_pages": 1}}

    @staticmethod
    def said(code: int, message: str) -> dict[str, Any]:
        return {"success": False, "errors": [{"code": code, "message": message}], "result": None}


class DigitalOcean(Zones):
    """https://docs.digitalocean.com/reference/api/ (version 2): names relative to the domain, `@` for itself."""

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"id": "Unauthorized", "message": "Unable to authenticate you"}
        _, _, zone, *rest = path.split("/")
        if zone not in self.zones:
            return 404, {"id": "not_found", "message": "The resource you were accessing could not be found."}
        if not rest:
            return 200, {"domain": {"name": zone}}
        if method == "GET":
            wanted = query["name"].removesuffix(zone).rstrip(".") or "@"
            found = [
                {"id": number, "name": entry["name"], "type": entry["type"], "data": entry["value"]}
                for number, entry in self.records.items()
                if (entry["name"], entry["type"]) == (wanted, query["type"])
            ]
            return 200, {"domain_records": found, "links": {}, "meta": {"total": len(found)}}
        if method == "POST":
            entry = json.loads(body)
            if entry["type"] == "A" and not is_address(entry["data"]):
                return 422, {"id": "unprocessable_entity", "message": "Data needs to be a valid IPv4 address."}
            number = self.put(entry["name"], entry["type"], entry["data"], entry["ttl"])
            return 201, {"domain_record": {"id": number}}
        if self.records.pop(int(rest[1]), None) is None:
            return 404, {"id": "not_found", "message": "The resource you were accessing could not be found."}
        return 204, b""


class Route53(Zones):
    """https://docs.aws.amazon.com/Route53/latest/APIReference/: whole record sets, changed in atomic batches, XML.

    `meddle` puts another value into the set before the next batch is looked at: somebody else was faster.
    """

    meddle = ""

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> tuple[int, Any]:
        if "AKIATEST" not in headers.get("Authorization", ""):
            return 403, error_document("InvalidClientTokenId", "The security token included in the request is invalid.")
        if path.endswith("/hostedzonesbyname"):
            asked = query.get("dnsname", "").rstrip(".")
            ordered = sorted(self.zones, key=lambda zone: zone != asked)
            return 200, zones_document(ordered)
        if method == "GET":
            return 200, self.sets_document(query["name"].rstrip("."), query["type"])
        return self.change(ElementTree.fromstring(body))  # noqa: S314  (our own client wrote it)

    def change(self, document: ElementTree.Element) -> tuple[int, Any]:
        changes = [
            (
                text_of(entry, "Action"),
                text_of(entry, "ResourceRecordSet/Name").rstrip("."),
                text_of(entry, "ResourceRecordSet/Type"),
                sorted(found.text or "" for found in entry.iter(f"{{{NAMESPACE}}}Value")),
                int(text_of(entry, "ResourceRecordSet/TTL")),
            )
            for entry in document.iter(f"{{{NAMESPACE}}}Change")
        ]
        if self.meddle:
            self.put(changes[0][1], changes[0][2], self.meddle, 60)
            self.meddle = ""
        for action, name, record_type, values, _ in changes:
            if action == "DELETE" and self.values(name, record_type) != values:
                words = f"Tried to delete resource record set [name='{name}'] but the values provided do not match"
                return 400, error_document("InvalidChangeBatch", words)
            if action == "CREATE" and record_type == "A" and not all(map(is_address, values)):
                return 400, error_document("InvalidChangeBatch", "Invalid Resource Record: not a valid IPv4 address")
        for action, name, record_type, values, ttl in changes:
            if action == "DELETE":
                kept = {
                    number: entry
                    for number, entry in self.records.items()
                    if (entry["name"], entry["type"]) != (name, record_type)
                }
                self.records.clear()
                self.records.update(kept)
            elif action == "CREATE":
                for value in values:
                    self.put(name, record_type, value, ttl)
        information = "<ChangeInfo><Id>/change/C1</Id><Status>INSYNC</Status>"
        information += "<SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
        return 200, document_of("ChangeResourceRecordSetsResponse", information)

    def sets_document(self, name: str, record_type: str) -> bytes:
        values = self.values(name, record_type)
        entries = "".join(f"<ResourceRecord><Value>{value}</Value></ResourceRecord>" for value in values)
        shown = name.replace("*", "\\052", 1)
        found = f"<ResourceRecordSet><Name>{shown}.</Name><Type>{record_type}</Type><TTL>60</TTL>"
        found += f"<ResourceRecords>{entries}</ResourceRecords></ResourceRecordSet>"
        # Without the record set that was asked for, the next one in the alphabet is shown.
        other = "<ResourceRecordSet><Name>zz.example.com.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords>"
        other += "<ResourceRecord><Value>192.0.2.99</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
        content = f"<ResourceRecordSets>{found if values else other}</ResourceRecordSets>"
        content += "<IsTruncated>false</IsTruncated><MaxItems>1</MaxItems>"
        return document_of("ListResourceRecordSetsResponse", content)


def is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False


def zones_document(zones: list[str]) -> bytes:
    entries = "".join(
        f"<HostedZone><Id>/hostedzone/Z{zone.replace('.', '')}</Id><Name>{zone}.</Name>"
        f"<CallerReference>{zone}</CallerReference><Config><PrivateZone>{flag}</PrivateZone></Config></HostedZone>"
        for zone in zones
        for flag in ("true", "false")
    )
    content = f"<HostedZones>{entries}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>20</MaxItems>"
    return document_of("ListHostedZonesByNameResponse", content)


def error_document(code: str, message: str) -> bytes:
    content = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return document_of("ErrorResponse", content + "<RequestId>1</RequestId>")


def document_of(name: str, content: str) -> bytes:
    return f'<?xml version="1.0"?><{name} xmlns="{NAMESPACE}">{content}</{name}>'.encode()


def text_of(element: ElementTree.Element, path: str) -> str:
    found = element.find("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))
    assert found is not None
    return found.text or ""
