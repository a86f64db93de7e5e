"""Amazon Route 53 through boto3: https://docs.aws.amazon.com/Route53/latest/APIReference/"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import requests

from apps.core import outgoing
from apps.domains.dns_providers.base import DnsWriter
from apps.domains.dns_providers.http_api import SECONDS_TO_ANSWER, base_url, schemes_for

ENDPOINT = "https://route53.amazonaws.com"
_CREDENTIAL_ERRORS = {
    "AccessDenied",
    "AccessDeniedException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "ExpiredToken",
}
_TRIES = 5


class Route53Writer(DnsWriter):
    """Credentials: `auth_access_key`, `auth_access_secret` of a user who may list and change zones."""

    needed_credentials = ("auth_access_key", "auth_access_secret")
    propagation_seconds = 180

    def check_settings(self) -> None:
        """An endpoint of one's own; Amazon's is known to be allowed."""
        if self.settings.get("endpoint"):
            base_url(self.settings["endpoint"])

    def has_zone(self, zone: str) -> bool:
        """Looks among the public hosted zones."""
        return self._zone_id(zone) is not None

    def values(self, zone: str, name: str, record_type: str) -> list[str]:
        """As Route 53 has it."""
        record_set = self._record_set(zone, name, record_type)
        return [_bare(entry["Value"], record_type) for entry in record_set["ResourceRecords"]] if record_set else []

    def add(self, zone: str, name: str, record_type: str, value: str, ttl: int) -> None:
        """Replaces the set by one with the value added."""
        self._replace(zone, name, record_type, lambda values: [*values, value], value, wanted=True, ttl=ttl)

    def remove(self, zone: str, name: str, record_type: str, value: str) -> None:
        """Replaces the set by one without the value; deletes an empty one."""

        def without(values: list[str]) -> list[str]:
            return [entry for entry in values if entry != value]

        self._replace(zone, name, record_type, without, value, wanted=False, ttl=None)

    def _replace(
        self, zone: str, name: str, record_type: str, change: Any, value: str, *, wanted: bool, ttl: int | None
    ) -> None:
        """Route 53 knows whole sets only. The old one is deleted as it was read, in one batch with the new one: if
        somebody was faster the batch is refused as a whole, and is made again from what is there then."""
        import botocore.exceptions

        for attempt in range(_TRIES):
            old = self._record_set(zone, name, record_type)
            values = [_bare(entry["Value"], record_type) for entry in old["ResourceRecords"]] if old else []
            if (value in values) == wanted:
                return
            changes = [{"Action": "DELETE", "ResourceRecordSet": old}] if old else []
            new = change(values)
            if new:
                records = [{"Value": f'"{entry}"' if record_type == "TXT" else entry} for entry in new]
                lifetime = ttl or (old["TTL"] if old else 300)
                record_set = {"Name": f"{name}.", "Type": record_type, "TTL": lifetime, "ResourceRecords": records}
                changes.append({"Action": "CREATE", "ResourceRecordSet": record_set})
            try:
                with self._words(zone, name, last=attempt == _TRIES - 1):
                    self._client.change_resource_record_sets(
                        HostedZoneId=self._zone_id(zone), ChangeBatch={"Changes": changes}
                    )
                return
            except botocore.exceptions.ClientError:
                continue

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        endpoint = self.settings.get("endpoint") or ENDPOINT
        client = boto3.client(
            "route53",
            region_name="us-east-1",
            endpoint_url=base_url(endpoint),
            aws_access_key_id=self.credentials["auth_access_key"],
            aws_secret_access_key=self.credentials["auth_access_secret"],
            config=Config(retries={"total_max_attempts": 3}),
        )
        session = outgoing.session(schemes=schemes_for(endpoint), seconds=SECONDS_TO_ANSWER)
        client.meta.events.register("before-send.route-53", _sender(session))
        return client

    def _zone_id(self, zone: str) -> str | None:
        with self._words(zone, zone):
            found = self._client.list_hosted_zones_by_name(DNSName=f"{zone}.", MaxItems="20")["HostedZones"]
        public = (entry for entry in found if not entry.get("Config", {}).get("PrivateZone"))
        return next((entry["Id"] for entry in public if entry["Name"] == f"{zone}."), None)

    def _record_set(self, zone: str, name: str, record_type: str) -> dict[str, Any] | None:
        zone_id = self._zone_id(zone)
        if zone_id is None:
            raise self.problem("domains.dns_zone_unknown", name=name)
        with self._words(zone, name):
            found = self._client.list_resource_record_sets(
                HostedZoneId=zone_id, StartRecordName=f"{name}.", StartRecordType=record_type, MaxItems="1"
            )["ResourceRecordSets"]
        # Names come back with the star as \\052.
        wanted = f"{name}.".replace("*", "\\052", 1)
        matching = (entry for entry in found if entry["Name"] in (f"{name}.", wanted) and entry["Type"] == record_type)
        record_set = next((entry for entry in matching if "ResourceRecords" in entry), None)
        return {**record_set, "Name": f"{name}."} if record_set else None

    @contextlib.contextmanager
    def _words(self, zone: str, name: str, *, last: bool = True) -> Iterator[None]:
        """Amazon's own words. A batch that somebody was faster than is let through until the last try."""
        import botocore.exceptions

        try:
            yield
        except botocore.exceptions.ClientError as error:
            code, words = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", str(error))
            if code == "InvalidChangeBatch" and not last:
                raise
            if code in _CREDENTIAL_ERRORS:
                raise self.problem("domains.dns_credentials_refused", zone=zone, words=words) from error
            raise self.problem("domains.dns_refused", name=name, words=f"{words} ({code})") from error
        except botocore.exceptions.BotoCoreError as error:
            raise self.problem("domains.dns_unreachable", words=error) from error


def _sender(session: requests.Session) -> Any:
    """botocore takes what this handler returns for the answer (its event `before-send`): its own connections would
    go to wherever the name points at that moment."""
    import botocore.awsrequest
    import botocore.exceptions

    def send(request: Any, **_: Any) -> Any:
        try:
            answer = session.request(request.method, request.url, data=request.body, headers=dict(request.headers))
        except requests.RequestException as error:
            raise botocore.exceptions.EndpointConnectionError(endpoint_url=request.url, error=error) from error
        return botocore.awsrequest.AWSResponse(request.url, answer.status_code, answer.headers, _Body(answer.content))

    return send


class _Body(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _bare(value: str, record_type: str) -> str:
    return value[1:-1] if record_type == "TXT" else value.rstrip(".")
