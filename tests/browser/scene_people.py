"""What the pages about people, quotas and looks show: invitations in each state, a week of samples, a logo."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal

from PIL import Image

from apps.core import clock
from apps.orgs import invitations, profile, quota_requests
from apps.orgs.models import Invitation, Organization, UsageSample
from tests.cast import Cast

HOURS = 7 * 24
COLOUR = "#d4380d"


def add_people_rows(cast: Cast) -> None:
    """Acme gets invitations, a quota and samples; Umbrella a colour and a logo."""
    _add_invitations(cast)
    _add_quota(cast)
    _add_samples(cast.acme)
    picture = io.BytesIO()
    Image.new("RGB", (300, 100), COLOUR).save(picture, "PNG")
    picture.seek(0)
    profile.set_logo(organization=cast.umbrella, upload=picture, actor=cast.charlie)
    profile.update_organization(organization=cast.umbrella, actor=cast.charlie, colour=COLOUR)


def link_of(organization: Organization) -> str:
    """The address of an open invitation for whoever has it."""
    found = Invitation.objects.filter(organization=organization, email="").open().first()
    return f"/join/{found.link_token}/"


def _add_invitations(cast: Cast) -> None:
    rows = (
        {"role": "developer", "email": "dora@example.com", "message": "Welcome to the team."},
        {"role": "viewer", "max_uses": 20, "days": 30},
        {"role": "admin", "email": "administrator.with.a.long.name@customer-umbrella-germany.example.com"},
    )
    made = [invitations.invite(organization=cast.acme, actor=cast.alice, **row) for row in rows]
    invitations.revoke(invitation=made[2], actor=cast.alice)
    expired = invitations.invite(organization=cast.acme, actor=cast.alice, role="viewer")
    Invitation.objects.filter(pk=expired.pk).update(expires_at=clock.now() - timedelta(days=1))


def _add_quota(cast: Cast) -> None:
    limits = {"cpu": Decimal(24), "memory_megabytes": 48 * 1024, "environments": 12, "environment_cpu": Decimal(8)}
    quota_requests.set_quota(organization=cast.acme, actor=cast.sam, **limits)
    asked = quota_requests.ask(organization=cast.acme, actor=cast.bob, reason="Two more customers.", cpu=Decimal(32))
    quota_requests.answer(request=asked, is_granted=False, actor=cast.sam, text="After the move to the new server.")
    quota_requests.ask(organization=cast.acme, actor=cast.alice, reason="A larger production.", cpu=Decimal(28))


def _add_samples(organization: Organization) -> None:
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    UsageSample.objects.bulk_create(
        UsageSample(
            organization=organization,
            taken_at=now - timedelta(hours=HOURS - hour),
            cpu=Decimal(8 + hour // 24 * 2),
            memory_megabytes=(16 + hour // 24 * 4) * 1024,
            disk_megabytes=(100 + hour // 2) * 1024,
            environments=4 + hour // 48,
            servers=5,
        )
        for hour in range(HOURS)
    )
