"""The base of every model."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import models

from apps.core.fields import EncryptedTextField
from apps.core.keyring import DecryptionError


class BaseModel(models.Model):
    """A row named by a random UUID, which is also what names its things on hosts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True

    def refresh_from_db(self, using: str | None = None, fields: Iterable[str] | None = None, **more: Any) -> None:
        """As Django's, for a row with a secret that cannot be decrypted too: that fails when it is asked for."""
        try:
            super().refresh_from_db(using=using, fields=fields, **more)
        except DecryptionError:
            if fields is not None:
                raise
            columns = self._meta.concrete_fields
            names = [column.name for column in columns if not isinstance(column, EncryptedTextField)]
            super().refresh_from_db(using=using, fields=names, **more)
            for column in columns:
                if isinstance(column, EncryptedTextField):
                    self.__dict__.pop(column.attname, None)  # read when it is asked for
