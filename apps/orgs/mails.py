"""Mails that carry an organization's name, colour and logo; as text, and the same as HTML."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from smtplib import SMTPException
from urllib.parse import urljoin

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from apps.orgs.brand import accents
from apps.orgs.models import Organization

logger = logging.getLogger(__name__)
PLATFORM_COLOUR = "#2f4fb4"


@dataclass(frozen=True)
class Mail:
    """What a mail says: paragraphs of plain text, and one link at most (`url` may be a path of the portal)."""

    subject: str
    paragraphs: tuple[str, ...]
    url: str = ""
    label: str = ""


def compose(*, organization: Organization, to: str, mail: Mail) -> EmailMultiAlternatives:
    """The message in the name of an organization, not sent."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    message = EmailMultiAlternatives(
        subject=" ".join(mail.subject.split()),
        body=_rendered("txt", organization, mail),
        from_email=formataddr((f"{organization.name} via {name or 'OEC.SH'}", address)),
        to=[to],
    )
    message.attach_alternative(_rendered("html", organization, mail), "text/html")
    return message


def send(*, organization: Organization, to: str, mail: Mail) -> bool:
    """Sends a mail in the name of an organization. False when the mail server did not take it (which is logged): what
    the mail is about stands all the same. Call it outside of transactions."""
    try:
        return compose(organization=organization, to=to, mail=mail).send() == 1
    except (OSError, SMTPException):
        logger.exception("A mail of the organization %s could not be sent.", organization.pk)
        return False


def _rendered(kind: str, organization: Organization, mail: Mail) -> str:
    light, _dark = accents(organization.colour or PLATFORM_COLOUR)
    context = {
        "organization": organization,
        "mail": mail,
        "url": urljoin(settings.PORTAL_URL, mail.url) if mail.url else "",
        "logo_url": urljoin(settings.PORTAL_URL, organization.logo_url) if organization.logo_version else "",
        "portal_url": settings.PORTAL_URL,
        "accent": light,
    }
    return render_to_string(f"orgs/mail.{kind}", context)
