"""The base of every model."""

from __future__ import annotations

import uuid

from django.db import models


class BaseModel(models.Model):
    """A row named by a random UUID, which is also what names its things on hosts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True
