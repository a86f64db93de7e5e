"""Mails about events, in the organization's name and colour."""

from __future__ import annotations

import logging
import smtplib
import zoneinfo
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.urls import reverse

from apps.core import clock
from apps.core.masking import mask
from apps.notifications.claiming import MAIL_PAUSES, claim_mail, give_up_or_wait, release
from apps.notifications.formats.facts import facts_of
from apps.notifications.models import Mail, OutboxStatus
from apps.notifications.publishing import body_of, portal_url
from apps.notifications.recipients import may_be_told, with_verified_address
from apps.orgs import mails

logger = logging.getLogger(__name__)


class NotWantedAnyMore(Exception):
    """The person has left, or the address is not known to be theirs any more."""


def mail_next() -> bool:
    """Claims the mail that is due, sends, settles. False when there was nothing to do."""
    mail = claim_mail()
    if mail is None:
        return False
    is_permanent, error = False, ""
    try:
        if mail.tries > len(MAIL_PAUSES) + 1:
            raise OSError("Every worker that began this was lost.")
        _ensure_wanted(mail)
        message_for(mail).send()
    except NotWantedAnyMore as reason:
        _settle(mail, str(reason), status=OutboxStatus.CANCELLED)
        return True
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        is_permanent = all(code >= 500 for code in codes)
        error = f"The mail server refused the address ({', '.join(map(str, codes))})."
    except (OSError, smtplib.SMTPException) as failure:
        error = f"The mail server did not take it: {failure}"
    except Exception:  # the task's time limit too: whatever it is, the row's attempt ends, and others are not held up
        logger.exception("The mail %s could not be sent.", mail.pk)
        error = "The platform could not send this mail."
    _settle(mail, error, status=OutboxStatus.FAILED if is_permanent else "")
    return True


def _ensure_wanted(mail: Mail) -> None:
    if not mail.user.is_active or not may_be_told(mail.user, mail.event):
        raise NotWantedAnyMore("The person may not see it any more.")
    if not with_verified_address([mail.user_id]):
        raise NotWantedAnyMore("The address is not verified.")


def _settle(mail: Mail, error: str, *, status: str) -> None:
    now = clock.now()
    with transaction.atomic():
        rows = Mail.objects.select_for_update(of=("self",), no_key=True).filter(lease_token=mail.lease_token)
        row = rows.filter(pk=mail.pk).first()
        if row is None:
            return
        release(row)
        if not error:
            row.status, row.finished_at, row.error = OutboxStatus.DELIVERED, now, ""
        elif status:
            row.status, row.finished_at, row.error = status, now, error[:500]
        else:
            give_up_or_wait(row, MAIL_PAUSES, mask(error), now)
        row.save()


def message_for(mail: Mail) -> EmailMultiAlternatives:
    """The message, in the organization's name and colour."""
    event, organization = mail.event, mail.event.organization
    body = body_of(event)
    moment = event.happened_at.astimezone(zoneinfo.ZoneInfo(mail.user.time_zone))
    facts = [f"{name}: {value}" for name, value in (*facts_of(body), ("When", f"{moment:%Y-%m-%d %H:%M %Z}"))]
    hint = body["data"].get("hint") or (body["data"].get("deployment") or {}).get("hint")
    preferences = portal_url(reverse("notifications:preferences"))
    why = f"You are told as a member of {organization.name}. Choose what you are told: {preferences}"
    paragraphs = (event.title, "\n".join(facts), f"What to do: {hint}" if hint else "", why)
    content = mails.Mail(
        subject=f"[{organization.name}] {event.title}",
        paragraphs=tuple(filter(None, paragraphs)),
        url=event.path,
        label="Open in the portal",
    )
    message = mails.compose(organization=organization, to=mail.user.email, mail=content)
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    message.extra_headers = {
        # The same for each attempt: a mailbox that gets it twice shows it once.
        "Message-ID": f"<{mail.pk}@{host}>",
        "List-Unsubscribe": f"<{preferences}>",
        "Auto-Submitted": "auto-generated",
    }
    return message
