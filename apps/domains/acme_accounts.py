"""Our accounts at certificate authorities: one key per directory, made once, encrypted in the database."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.domains.models import AcmeAccount
from apps.platform.current import current


def account_for(directory_url: str) -> AcmeAccount:
    """The account of a directory; its key is made at the first use."""
    account = AcmeAccount.objects.filter(directory_url=directory_url).first()
    if account is None:
        made = {"private_key": _new_key(), "contact": current().acme_contact}
        # Of two that make it at once, the unique constraint keeps one.
        account, _ = AcmeAccount.objects.get_or_create(directory_url=directory_url, defaults=made)
    return account


def remember_address(account: AcmeAccount, address: str) -> None:
    """Stores where the authority keeps the account."""
    account.address = address
    account.save(update_fields=["address", "updated_at"])


def forget_address(account: AcmeAccount) -> None:
    """The authority does not know the account any more."""
    remember_address(account, "")


def _new_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()
