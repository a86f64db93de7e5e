"""A person's picture."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from django.db import transaction

from apps.accounts.models import Avatar, User
from apps.core import pictures

PIXELS = 128


def redrawn(upload: BinaryIO) -> bytes:
    """The uploaded picture as a square of 128 pixels. Raises ValidationError for what is none, or too large."""
    return pictures.redraw(upload, width=PIXELS, height=PIXELS, crop=True)


@transaction.atomic
def set_avatar(*, user: User, picture: bytes) -> None:
    """Keeps what `redrawn` made."""
    Avatar.objects.update_or_create(user=user, defaults={"picture": picture})
    user.avatar_version = hashlib.sha256(picture).hexdigest()[:16]
    user.save(update_fields=["avatar_version", "updated_at"])


@transaction.atomic
def remove_avatar(*, user: User) -> None:
    """Back to none."""
    Avatar.objects.filter(user=user).delete()
    user.avatar_version = ""
    user.save(update_fields=["avatar_version", "updated_at"])
