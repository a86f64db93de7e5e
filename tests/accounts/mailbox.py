"""What was mailed, and the links in it."""

from __future__ import annotations

import re

from django.core import mail


def link_to(address: str) -> str:
    """The path of the only link in the last mail to this address."""
    message = next(one for one in reversed(mail.outbox) if address in one.to)
    return re.search(r"https?://[^/\s]+(/\S+)", message.body).group(1)


def mails_to(address: str) -> list:
    return [one for one in mail.outbox if address in one.to]
