"""Model fields."""

from __future__ import annotations

from django.db import models

from apps.core import keyring


class EncryptedTextField(models.TextField):
    """Text encrypted at rest (AES-256-GCM). It cannot be filtered on, and decrypting fails closed."""

    def _context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.attname}"

    def get_prep_value(self, value: str | None) -> str | None:
        value = super().get_prep_value(value)
        return keyring.encrypt(value, context=self._context()) if value else value

    def from_db_value(self, value: str | None, expression, connection) -> str | None:
        return keyring.decrypt(value, context=self._context()) if value else value

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
