"""`manage.py reencrypt`: writes every stored secret with the first key of the ring; older keys can then be dropped."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from apps.core.fields import EncryptedTextField, unreadable
from apps.core.keyring import current_key_id
from apps.core.signals import reencrypting


class Command(BaseCommand):
    help = "Encrypts every stored secret anew with the first key of the ring. Harmless when run again."

    def handle(self, *args: Any, **options: Any) -> None:
        """What cannot be read is named, stays as it is, and ends the command with an error, after all the others."""
        unread: list[str] = []
        for model in apps.get_models():
            names = [field.name for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
            if names:
                count = sum(_reencrypt(model, name, unread) for name in names)
                self.stdout.write(f"{model._meta.label}: {count} written with the key {current_key_id()}")
        for _, (label, count, missed) in reencrypting.send(None):
            unread += missed
            self.stdout.write(f"{label}: {count} written with the key {current_key_id()}")
        if unread:
            raise CommandError("These cannot be decrypted with the keys on the ring: " + ", ".join(unread))


def _reencrypt(model: type[models.Model], name: str, unread: list[str]) -> int:
    """Rewrites the values of one field that another key sealed; each row in a transaction of its own."""
    count = 0
    manager = model._base_manager
    # Compared as it is stored: a cast to text keeps the field from being decrypted.
    stored = models.functions.Cast(name, models.TextField())
    sealed = manager.annotate(sealed_value=stored).exclude(sealed_value__isnull=True).exclude(sealed_value="")
    others = sealed.exclude(sealed_value__startswith=f"gcm:{current_key_id()}:").values_list("pk", flat=True)
    for primary_key in list(others):
        with transaction.atomic():
            row = manager.select_for_update(of=("self",)).only("pk", name).filter(pk=primary_key).first()
            if row is None:  # deleted meanwhile
                continue
            if unreadable(row, name):
                unread.append(f"{model._meta.label}.{name} of {primary_key}")
                continue
            manager.filter(pk=primary_key).update(**{name: getattr(row, name)})
            count += 1
    return count
