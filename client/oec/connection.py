"""The API over HTTP: every request, its errors, and the pages of lists."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from oec.settings import Settings, ensure_safe

PREFIX = "/api/public/v1"
PAGE = 100
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
ATTEMPTS = 4
LONGEST_WAIT = 60.0  # seconds, for a limit that is reached


class Refused(Exception):
    """The platform answered that it does not do this."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, body
        message = str(body.get("message") or f"The platform answered with {status}.")
        detail = body.get("detail") or []
        fields = [f"{one.get('field')}: {one.get('message')}" for one in detail if isinstance(one, dict)]
        super().__init__("\n".join([message, *fields]))


class Unreachable(Exception):
    """No answer."""


class Connection:
    """Requests with the key. A request that was lost on the way is sent again: a write carries an idempotency key, so
    it happens once. Raises SettingsMissing for an address that the key may not be sent to."""

    def __init__(self, settings: Settings) -> None:
        ensure_safe(settings.url)
        self.settings = settings
        headers = {"Authorization": f"Bearer {settings.api_key}", "User-Agent": "oec/0.1"}
        self.client = httpx.Client(base_url=settings.url + PREFIX, headers=headers, timeout=TIMEOUT)

    def get(self, path: str, **query: Any) -> Any:
        return self.request("GET", path, query={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.request("POST", path, body=body or {})

    def request(self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        """The decoded answer; None where it has no body. Raises Refused, Unreachable."""
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4())}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self.client.request(method, path, params=query, json=body, headers=headers)
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS:
                    raise Unreachable(f"{self.settings.url} cannot be reached: {error}") from error
                time.sleep(0.5 * 2**attempt)
                continue
            wait = _seconds_to_wait(answer)
            if wait is None or attempt == ATTEMPTS:
                return _decoded(answer)
            time.sleep(wait)
        raise Unreachable(f"{self.settings.url} does not answer.")

    def all_of(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page."""
        offset = 0
        while True:
            page = self.get(path, limit=PAGE, offset=offset, **query)
            yield from page["results"]
            if not page["has_more"]:
                return
            offset += PAGE


def _seconds_to_wait(answer: httpx.Response) -> float | None:
    """How long to wait before asking again; None for an answer that counts."""
    if answer.status_code != 429:
        return None
    try:
        return min(LONGEST_WAIT, max(1.0, float(answer.headers.get("Retry-After", "1"))))
    except ValueError:
        return 1.0


def _decoded(answer: httpx.Response) -> Any:
    try:
        body = answer.json() if answer.content else None
    except ValueError as error:
        raise Unreachable(f"{answer.url.host} answered with {answer.status_code}, but not as the API does.") from error
    if answer.is_success:
        return body
    raise Refused(answer.status_code, body if isinstance(body, dict) else {})
