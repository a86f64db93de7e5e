"""Model fields."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from apps.core import keyring
from apps.core.keyring import DecryptionError


class Unreadable:
    """Stands where a secret cannot be decrypted. Whatever is done with it raises DecryptionError, so that nobody takes
    it for an empty text or sends it anywhere; but the rest of its row can be read and saved."""

    __slots__ = ("secret", "stored")

    def __init__(self, stored: str, secret: str) -> None:
        self.stored, self.secret = stored, secret

    def refuse(self, *arguments: Any) -> NoReturn:
        """Raises DecryptionError."""
        raise DecryptionError("core.secret_unreadable", secret=self.secret)

    def __repr__(self) -> str:
        return "<a secret that cannot be read>"

    __str__ = __format__ = __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __add__ = __radd__ = refuse
    __eq__ = __hash__ = refuse


class _Secret(DeferredAttribute):
    """The attribute of an encrypted field: fails closed when it is asked for, not when its row is."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return value.refuse() if isinstance(value, Unreadable) else value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):
    """Text encrypted at rest (AES-256-GCM). It cannot be filtered on, and decrypting fails closed: a value that cannot
    be read raises DecryptionError when it is asked for. Other rows, and the other columns of this one, go on; saving
    keeps what is stored."""

    descriptor_class = _Secret

    def _context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.attname}"

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        kept = model_instance.__dict__.get(self.attname)
        return kept if isinstance(kept, Unreadable) else super().pre_save(model_instance, add)

    def get_prep_value(self, value: Any) -> str | None:
        if isinstance(value, Unreadable):
            return value.stored
        value = super().get_prep_value(value)
        return keyring.encrypt(value, context=self._context()) if value else value

    def from_db_value(self, value: str | None, expression, connection) -> Any:
        try:
            return keyring.decrypt(value, context=self._context()) if value else value
        except DecryptionError:
            return Unreadable(value, f"{self.model._meta.verbose_name}, {self.verbose_name}")

    def get_lookup(self, lookup_name: str):
        if lookup_name not in ("isnull", "exact"):
            raise TypeError(f"{self.name} is encrypted and cannot be filtered by {lookup_name}.")
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else _ExactEmpty


@EncryptedTextField.register_lookup
class _ExactEmpty(models.lookups.Exact):
    """Only "is it empty?" can be asked of an encrypted value."""

    def get_prep_lookup(self) -> str:
        if self.rhs != "":
            raise TypeError("An encrypted field can only be compared with the empty text.")
        return ""


def unreadable(instance: models.Model, *names: str) -> list[str]:
    """Those of the instance's secrets (all, unless some are named) that cannot be decrypted: for pages that say so, and
    for services that put a new one in their place."""
    fields = [field for field in instance._meta.concrete_fields if isinstance(field, EncryptedTextField)]
    wanted = [field.attname for field in fields if not names or field.attname in names]
    return [name for name in wanted if not _is_readable(instance, name)]


def _is_readable(instance: models.Model, name: str) -> bool:
    try:
        getattr(instance, name)
    except DecryptionError:
        return False
    return True
