"""What happens elsewhere, and its consequences for keys."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.api import keys
from apps.orgs.models import Membership


@receiver(post_delete, sender=Membership, dispatch_uid="api.member_left")
def member_left(instance: Membership, **details: Any) -> None:
    """However somebody left: who is invited again later begins without the keys of before."""
    keys.revoke_keys_of(user_id=instance.user_id, organization_id=instance.organization_id)
