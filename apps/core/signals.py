"""What the layers above are asked by commands that know no tables."""

from __future__ import annotations

from django.dispatch import Signal

# Sent by `manage.py reencrypt` for secrets that lie elsewhere than in an EncryptedTextField. A receiver writes them
# with the first key of the ring, each row by itself, and returns (name, how many it wrote, the names of those that
# cannot be decrypted).
reencrypting = Signal()
