"""When a person's rights change, the person's open pages are asked to look again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from apps.operations.announce import group_of_person, send
from apps.orgs.signals import rights_changed


def _tell(user_id: Any) -> None:
    transaction.on_commit(lambda: send(group_of_person(user_id), {"type": "rights.changed"}))


@receiver(rights_changed, dispatch_uid="operations.rights_changed")
def rights_were_changed(user_ids: Iterable[Any], **details: Any) -> None:
    for user_id in user_ids:
        send(group_of_person(user_id), {"type": "rights.changed"})


@receiver(post_save, sender=get_user_model(), dispatch_uid="operations.user_changed")
def user_changed(instance: Any, update_fields: frozenset[str] | None = None, **details: Any) -> None:
    # Signing in saves `last_login` alone, which changes no rights.
    if update_fields is None or {"is_active", "is_staff", "is_superuser", "password"} & set(update_fields):
        _tell(instance.pk)
