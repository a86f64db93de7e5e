"""Second factors: a code from an app, a passkey, or one of eight backup codes."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from apps.accounts.models import User
from apps.core import keyring

CONTEXT = "mfa.authenticator.data"


class SecondFactorAdapter(DefaultMFAAdapter):
    """Seeds are encrypted at rest like every other secret."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "unverified_email": "Confirm your e-mail address first: a link in a mail is the way back to a lost password.",
        "add_email_blocked": "Turn the second factor off first, add the address and confirm it, then set it up again.",
        "incorrect_code": "This code is not right, or was used already.",
    }

    def encrypt(self, text: str) -> str:
        return keyring.encrypt(text, context=CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring.decrypt(encrypted_text, context=CONTEXT)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002  (allauth's own)
        count = Authenticator.objects.filter(user=user, type=type).count()
        return "Passkey" if count == 0 else f"Passkey {count + 1}"


def has_second_factor(user: Any) -> bool:
    """True when a password alone does not sign this person in. Backup codes alone are none."""
    if not user.is_authenticated:
        return False
    return Authenticator.objects.filter(user_id=user.pk).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def reencrypt_seeds() -> tuple[str, int, list[str]]:
    """Writes the seeds that another key sealed with the first key of the ring, each factor by itself; returns what
    `core.signals.reencrypting` asks for."""
    count, unread = 0, []
    for key in list(Authenticator.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update(of=["self"]).filter(pk=key).first()
            if row is None:  # turned off meanwhile
                continue
            try:
                data = _sealed_anew(row.data)
            except keyring.DecryptionError:
                unread.append(f"{Authenticator._meta.label}.data of {key}")
                continue
            if data != row.data:
                Authenticator.objects.filter(pk=key).update(data=data)
                count += 1
    return Authenticator._meta.label, count, unread


def _sealed_anew(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sealed_anew(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_sealed_anew(one) for one in value]
    if not keyring.is_sealed(value) or keyring.is_current(value):
        return value
    return keyring.encrypt(keyring.decrypt(value, context=CONTEXT), context=CONTEXT)
