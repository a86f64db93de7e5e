"""What may be entered for a webhook."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from apps.core.outgoing import WEBHOOK_NETWORKS, check_url
from apps.core.validators import validate_address
from apps.notifications.kinds import webhook_kinds
from apps.notifications.models.webhook import MOST_EVENTS

LONGEST_URL = 2000
_HOW = "Enter an address that starts with https://, such as https://hooks.example.com/deployments."


def validate_webhook_url(url: str) -> None:
    """The grammar of an address to call: HTTPS, a host, no credentials, no fragment. It looks nothing up."""
    # urlsplit drops line ends and tabs, and would judge another address than the one that is called.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValidationError(_HOW)
    if len(url) > LONGEST_URL:
        raise ValidationError(f"An address has at most {LONGEST_URL} characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValidationError(_HOW) from error
    if parts.scheme != "https" or not host or port == 0:
        raise ValidationError(_HOW)
    if parts.username is not None or parts.password is not None:
        raise ValidationError("Leave the user and the password out of the address: the signature proves who calls.")
    if parts.fragment:
        raise ValidationError("Leave out what follows #: it is never sent.")
    validate_address(host)


def ensure_callable(url: str) -> None:
    """The same, and its host resolves to public addresses only (and those in
    WEBHOOK_PRIVATE_NETWORKS). Raises ValidationError; Problem
    `core.address_unknown`, `core.address_not_allowed`."""
    try:
        validate_webhook_url(url)
    except ValidationError as error:
        raise ValidationError({"url": error.messages}) from error
    check_url(url, networks=WEBHOOK_NETWORKS)


def clean_events(events: Iterable[str]) -> list[str]:
    """The kinds without repetition, in the order of the pages. Raises ValidationError for an unknown one, none, or
    more than MOST_EVENTS."""
    wanted = set(events)
    known = [kind.name for kind in webhook_kinds()]
    unknown = sorted(wanted - set(known))
    if unknown:
        raise ValidationError({"events": f"There is no kind of event called {', '.join(unknown)[:200]}."})
    if not wanted:
        raise ValidationError({"events": "Choose at least one kind of event."})
    if len(wanted) > MOST_EVENTS:
        raise ValidationError({"events": f"Choose at most {MOST_EVENTS} kinds of events."})
    return [name for name in known if name in wanted]
