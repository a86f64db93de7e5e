"""HTTP with a company's DNS API: guarded address, time-outs, no redirects, the company's own words on failure."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests

from apps.core import outgoing
from apps.domains.dns_providers.base import DnsWriter

SECONDS_TO_ANSWER = 30


class HttpDnsWriter(DnsWriter):
    """Setting: `endpoint` (another base URL); credential: `auth_token`."""

    needed_credentials = ("auth_token",)
    endpoint: ClassVar[str] = ""

    def check_settings(self) -> None:
        """An endpoint of one's own; the company's is known to be allowed."""
        if self.settings.get("endpoint"):
            base_url(self.settings["endpoint"])

    def call(self, method: str, path: str, *, zone: str, missing_is_none: bool = False, **arguments: Any) -> Any:
        """The decoded answer; None for 404 where `missing_is_none`, and for an empty one."""
        endpoint = self.settings.get("endpoint") or self.endpoint
        try:
            with outgoing.session(schemes=schemes_for(endpoint), seconds=SECONDS_TO_ANSWER) as session:
                answer = session.request(
                    method,
                    endpoint.rstrip("/") + path,
                    headers={"Authorization": f"Bearer {self.credentials['auth_token']}"},
                    **arguments,
                )
        except requests.RequestException as error:
            raise self.problem("domains.dns_unreachable", words=_reason(error)) from error
        if answer.status_code == 404 and missing_is_none:
            return None
        if answer.status_code in (401, 403):
            raise self.problem("domains.dns_credentials_refused", zone=zone, words=self.words(answer))
        if answer.status_code == 429 or answer.status_code >= 500:
            raise self.problem("domains.dns_unreachable", words=self.words(answer))
        if not 200 <= answer.status_code < 300:
            raise self.problem("domains.dns_refused", name=zone, words=self.words(answer))
        if not answer.content:
            return None
        try:
            return answer.json()
        except requests.JSONDecodeError as error:
            raise self.problem("domains.dns_unreachable", words="The answer is not JSON.") from error

    def words(self, answer: requests.Response) -> str:
        """What the company says in an answer that is an error."""
        try:
            document = answer.json()
        except requests.JSONDecodeError:
            return f"HTTP {answer.status_code} {answer.reason}"
        return self.words_of(document) or f"HTTP {answer.status_code} {answer.reason}"

    def words_of(self, document: Any) -> str:
        """The message inside an error document."""
        return str(document.get("message", "")) if isinstance(document, dict) else ""


def base_url(endpoint: str) -> str:
    """The endpoint, once its address was found to be allowed."""
    outgoing.check_url(endpoint, schemes=schemes_for(endpoint))
    return endpoint.rstrip("/")


def schemes_for(endpoint: str) -> tuple[str, ...]:
    """Plain HTTP is for loopback only."""
    loopback = urlsplit(endpoint).hostname in ("127.0.0.1", "::1", "localhost")
    return ("https", "http") if loopback else ("https",)


def _reason(error: requests.RequestException) -> str:
    # The library's text repeats the whole URL and its own class names.
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "the connection failed" if isinstance(error, requests.ConnectionError) else str(error)
