"""The code and the link of an invitation: how they are made, and what they are found by."""

from __future__ import annotations

import secrets

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from apps.orgs.models import Invitation

# Without letters and digits that look like others (0 O, 1 I L, 5 S, 2 Z, 8 B, W VV): 24 to the 6th are 191 million
# codes, of which somebody may try ten in an hour (`guessing.py`).
ALPHABET = "34679ACDEFGHJKMNPQRTUVXY"
CODE_LENGTH = 6
_ATTEMPTS = 5
# What people put between the letters.
_BETWEEN = str.maketrans("", "", " -\t")


def digest(kind: str, secret: str) -> str:
    """What a code or the token of a link is found by: a hash that nobody can compute without our key."""
    return salted_hmac(f"orgs.invitation.{kind}", secret, algorithm="sha256").hexdigest()


def normalize(text: str) -> str:
    """A code as people type it: in any case, with spaces or hyphens."""
    return text.strip().translate(_BETWEEN).upper()


def store_with_new_ones(invitation: Invitation) -> None:
    """Stores the invitation under a link and a code that nothing else has; the constraint decides."""
    invitation.link_token = secrets.token_urlsafe(32)
    invitation.link_hash = digest("link", invitation.link_token)
    for attempt in range(1, _ATTEMPTS + 1):
        invitation.code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        invitation.code_hash = digest("code", invitation.code)
        try:
            with transaction.atomic():
                invitation.save()
            return
        except IntegrityError:
            if attempt == _ATTEMPTS:
                raise
