"""One call of a webhook: what is sent, and what came back. It knows nothing of rows that wait."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import certifi
import requests
from django.conf import settings

from apps.core import clock, outgoing
from apps.core.exceptions import Problem
from apps.core.masking import mask
from apps.notifications import formats, signing
from apps.notifications.models import Delivery

SECONDS_TO_CONNECT = 3
SECONDS_TO_ANSWER = 10
SECONDS_FOR_BODY = 3
LARGEST_ANSWER = 2**16
KEPT_CHARACTERS = 2000
LONGEST_RETRY_AFTER = timedelta(hours=1)
GONE = 410


@dataclass(frozen=True)
class Answer:
    """`error` is empty when the receiver took it (2xx). Texts are masked."""

    error: str
    milliseconds: int
    status: int | None = None
    body: str = ""
    retry_after: timedelta | None = None


def request_of(delivery: Delivery, moment: datetime) -> tuple[str, dict[str, str]]:
    """Body and headers as they are sent at this moment."""
    webhook = delivery.webhook
    body = json.dumps(formats.render(webhook.format, delivery.event), ensure_ascii=False, separators=(",", ":"))
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "OEC.SH-Webhook/1"}
    secrets = webhook.secrets_at(moment)
    return body, headers | signing.headers(message_id=str(delivery.pk), body=body, moment=moment, secrets=secrets)


def call(delivery: Delivery) -> Answer:
    """Calls the receiver once. Never raises for what the other side does: the answer says it. Raises DecryptionError
    where address or secret cannot be read: nobody is called without a signature."""
    webhook, moment = delivery.webhook, clock.now()
    body, headers = request_of(delivery, moment)
    secrets = [webhook.url, *webhook.secrets_at(moment)]
    began = time.monotonic()
    try:
        with outgoing.session(
            seconds=SECONDS_TO_ANSWER, context=_context(), networks=outgoing.WEBHOOK_NETWORKS
        ) as session:
            answer = session.post(
                webhook.url,
                data=body.encode(),
                headers=headers,
                stream=True,
                timeout=(SECONDS_TO_CONNECT, SECONDS_TO_ANSWER),
            )
            text = _body_of(answer)
    except Problem as problem:
        return Answer(mask(f"{problem.title} {problem.what_to_do}", secrets)[:500], _since(began))
    except (requests.RequestException, OSError, ValueError) as error:
        return Answer(mask(_in_words(error), secrets)[:500], _since(began))
    error = "" if 200 <= answer.status_code < 300 else f"The receiver answered {answer.status_code}."
    return Answer(error, _since(began), answer.status_code, mask(text, secrets)[:KEPT_CHARACTERS], _retry_after(answer))


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    if settings.WEBHOOK_CA_FILE:
        context.load_verify_locations(settings.WEBHOOK_CA_FILE)
    return context


def _body_of(answer: requests.Response) -> str:
    """The beginning of the body. The head has decided already: a body that is slow or endless is not waited for."""
    try:
        body = outgoing.read_limited(answer, largest=LARGEST_ANSWER, seconds=SECONDS_FOR_BODY)
    except requests.RequestException as error:
        return f"(The body was not read: {_in_words(error)})"
    return body.decode("utf-8", errors="replace")


def _in_words(error: Exception) -> str:
    """Why there was no answer, without the address, which counts as a secret."""
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS failed: {_tls_reason(error)}."
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"No connection within {SECONDS_TO_CONNECT} seconds."
    if isinstance(error, requests.exceptions.ReadTimeout | TimeoutError):
        return f"No answer within {SECONDS_TO_ANSWER} seconds."
    if isinstance(error, outgoing.AnswerTooLarge):
        return "The answer is too large."
    if isinstance(error, requests.exceptions.ConnectionError | OSError):
        return "The connection was refused or broke off."
    return f"The answer was no HTTP ({type(error).__name__})."


def _tls_reason(error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"the certificate is not accepted ({seen.verify_message})"
        inner = getattr(seen.args[0], "reason", None) if seen.args else None
        seen = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    return "the receiver does not speak it as it should"


def _retry_after(answer: requests.Response) -> timedelta | None:
    """Seconds or a date (RFC 9110, 10.2.3), at most an hour; None for anything else."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        wait = timedelta(seconds=min(int(value[:9]), 86_400))
    else:
        try:
            wait = parsedate_to_datetime(value) - clock.now()
        except (TypeError, ValueError, OverflowError):
            return None
    return max(min(wait, LONGEST_RETRY_AFTER), timedelta(0))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
