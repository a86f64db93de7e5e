"""When a person's rights change, the person's open pages are asked to look again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from apps.operations.announce import group_of_person, send
from apps.orgs.models import Membership


def _tell(user_id: Any) -> None:
    transaction.on_commit(lambda: send(group_of_person(user_id), {"type": "rights.changed"}))


@receiver([post_save, post_delete], sender=Membership, dispatch_uid="operations.membership_changed")
def membership_changed(instance: Membership, **details: Any) -> None:
    _tell(instance.user_id)


@receiver(post_save, sender=get_user_model(), dispatch_uid="operations.user_changed")
def user_changed(instance: Any, update_fields: frozenset[str] | None = None, **details: Any) -> None:
    # Signing in saves `last_login` alone, which changes no rights.
    if update_fields is None or {"is_active", "is_staff", "is_superuser", "password"} & set(update_fields):
        _tell(instance.pk)
