"""Tells the Owner that platform staff ask to come in, or came in for an emergency. By the clock: a mail server that is
away for a while loses nothing."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from apps.core import clock
from apps.orgs.mails import Mail, send
from apps.orgs.models import Membership, SupportAccess
from apps.orgs.roles import Role

# A mail that could not be sent for so long says nothing new any more.
GIVEN_UP_AFTER = timedelta(days=2)


def tell_owners() -> int:
    """Sends what is due. Returns how many mails went out."""
    fresh = SupportAccess.objects.filter(told_at=None, created_at__gte=clock.now() - GIVEN_UP_AFTER)
    emergency = SupportAccess.Kind.EMERGENCY
    due = fresh.filter(Q(kind=emergency) | Q(granted_at=None, ended_at=None)).values_list("pk", flat=True)
    return sum(_tell(pk) for pk in list(due))


@transaction.atomic
def _tell(pk: object) -> bool:
    """Holds the row while the mail is sent, so that two workers do not send it twice."""
    rows = SupportAccess.objects.select_for_update(of=["self"], skip_locked=True)
    access = rows.select_related("organization", "staff").filter(pk=pk, told_at=None).first()
    if access is None:
        return False
    owner = Membership.objects.select_related("user").filter(organization=access.organization, role=Role.OWNER).first()
    if owner is None or not send(organization=access.organization, to=owner.user.email, mail=_mail(access)):
        return False
    access.told_at = clock.now()
    access.save(update_fields=["told_at", "updated_at"])
    return True


def _mail(access: SupportAccess) -> Mail:
    url = reverse("portal:support", args=[access.organization.slug])
    if access.kind == SupportAccess.Kind.EMERGENCY:
        return Mail(
            subject=f"Platform staff entered {access.organization} in an emergency",
            paragraphs=(
                f"{access.staff} entered {access.organization} without waiting for your consent, until "
                f"{access.expires_at:%Y-%m-%d %H:%M} UTC at the latest.",
                f"The reason: {access.reason}",
                "You can end it now. What was done stands in the audit trail.",
            ),
            url=url,
            label="See or end the access",
        )
    return Mail(
        subject=f"Platform staff ask to enter {access.organization}",
        paragraphs=(
            f"{access.staff} asks to enter {access.organization} for {access.minutes} minutes.",
            f"The reason: {access.reason}",
            "Nobody enters before you consent.",
        ),
        url=url,
        label="Answer",
    )
