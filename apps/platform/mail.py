"""Mails leave with the sender that staff chose."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

from apps.platform.current import current


def with_sender(messages: Sequence[EmailMessage]) -> Sequence[EmailMessage]:
    """The same mails. Where one leaves with the installation's address, that becomes the address that staff chose; a
    name in front of it (an organization's) stays."""
    usual = parseaddr(settings.DEFAULT_FROM_EMAIL)
    for message in messages:
        name, address = parseaddr(message.from_email)
        if address == usual[1]:
            chosen = parseaddr(current().mail_sender)
            message.from_email = formataddr((chosen[0] if name == usual[0] else name, chosen[1]))
    return messages


class EmailBackend(SmtpBackend):
    """SMTP, as EMAIL_URL says, in the platform's name."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """See django.core.mail.backends.smtp; the number of mails that were sent."""
        return super().send_messages(with_sender(email_messages))
