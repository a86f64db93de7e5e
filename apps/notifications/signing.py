"""Secrets of webhooks, and the headers that prove who calls (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from standardwebhooks import Webhook as Signer

SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and the base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(*, message_id: str, body: str, moment: datetime, secrets: list[str]) -> dict[str, str]:
    """Id, time (seconds since 1970) and one signature per secret, HMAC-SHA256 over `id.time.body`."""
    signatures = [Signer(secret).sign(message_id, moment, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
