"""The key ring: AES-256-GCM keys by id. The first key encrypts; every key on the ring decrypts.

The ring is read from the setting KEY_RING, or from the file KEY_RING_FILE (mode 0600): one `key id:base64` per line or
separated by commas, each key 32 bytes. To rotate, put a new key in front and run `manage.py reencrypt`.
"""

from __future__ import annotations

import base64
import os
import re
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core.exceptions import Problem

NONCE_BYTES = 12
PREFIX = "gcm"


class DecryptionError(Problem):
    """A stored secret cannot be read: its key is not on the ring, or it was changed. Always `core.secret_unreadable`:
    the one thing that needs the secret fails and says so, like any other problem."""


@lru_cache(maxsize=4)
def _parse(text: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for entry in re.split(r"[\s,]+", text.strip()):
        key_id, _, encoded = entry.partition(":")
        key = base64.b64decode(encoded or "", validate=True)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key_id) or len(key) != 32:
            raise ImproperlyConfigured("The key ring holds an entry that is not 'id:base64 of 32 bytes'.")
        keys[key_id] = key
    return keys


def _ring() -> dict[str, bytes]:
    text = settings.KEY_RING
    if not text:
        path = Path(settings.KEY_RING_FILE)
        if not path.exists():
            raise ImproperlyConfigured("There is no key ring: set KEY_RING or KEY_RING_FILE.")
        text = path.read_text()
    return _parse(text)


def current_key_id() -> str:
    """The id of the key that encrypts."""
    return next(iter(_ring()))


def encrypt(text: str, *, context: str) -> str:
    """Encrypts `text`, bound to `context` (where it is stored): a value moved elsewhere does not decrypt."""
    key_id, key = next(iter(_ring().items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), context.encode())
    return f"{PREFIX}:{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, *, context: str) -> str:
    """The text that `encrypt` was given; raises DecryptionError, never returns a guess or an empty text."""
    try:
        prefix, key_id, encoded = stored.split(":", 2)
        raw = base64.b64decode(encoded, validate=True)
        if prefix != PREFIX:
            raise ValueError(prefix)
        return AESGCM(_ring()[key_id]).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode()
    except (InvalidTag, KeyError, ValueError) as error:
        raise DecryptionError("core.secret_unreadable", secret=context) from error


def is_current(stored: str) -> bool:
    """Whether the first key of the ring sealed it."""
    return stored.startswith(f"{PREFIX}:{current_key_id()}:")


def is_sealed(stored: object) -> bool:
    """Whether it looks like what `encrypt` returns."""
    return isinstance(stored, str) and stored.startswith(f"{PREFIX}:")


def new_ring_line() -> str:
    """A fresh entry for a key ring file."""
    key_id = base64.b32encode(os.urandom(5)).decode().lower()
    return f"{key_id}:{base64.b64encode(os.urandom(32)).decode()}"
