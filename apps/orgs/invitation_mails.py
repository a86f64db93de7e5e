"""The mail that carries an invitation, and the address that it leads to."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock
from apps.orgs.mails import Mail, send
from apps.orgs.models import Invitation


def join_url(invitation: Invitation) -> str:
    """Whoever has this address may join: show it to those alone who may use the invitation."""
    return urljoin(settings.PORTAL_URL, _path(invitation))


def send_invitation(invitation: Invitation, sender: User) -> bool:
    """Sends the mail (again), and notes when. False where the mail server did not take it; code and link count all the
    same. Call it outside of transactions, for an invitation that has an address."""
    inviter, name = str(sender), invitation.organization.name
    paragraphs = [f"{inviter} invites you to join {name} as {invitation.get_role_display()}."]
    if invitation.message:
        paragraphs.append(invitation.message)
    paragraphs.append(
        f"The invitation is for {invitation.email}, and valid until {invitation.expires_at:%Y-%m-%d %H:%M} UTC. "
        f"Its code is {invitation.code}."
    )
    mail = Mail(f"{inviter} invites you to {name}", tuple(paragraphs), _path(invitation), "Look at the invitation")
    if not send(organization=invitation.organization, to=invitation.email, mail=mail):
        return False
    Invitation.objects.filter(pk=invitation.pk).update(mailed_at=clock.now())
    return True


def _path(invitation: Invitation) -> str:
    return reverse("orgs:join", args=[invitation.link_token])
