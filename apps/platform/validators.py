"""What staff type into the platform's settings."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.core.validators import validate_git_reference, validate_git_url


def validate_sender(value: str) -> None:
    """`Name <address>` or an address alone, on one line."""
    if any(character in value for character in "\r\n\0"):
        raise ValidationError("Write the sender on one line.")
    _, address = parseaddr(value)
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValidationError("Write an address, or a name with the address in <>.") from error


def validate_platform_url(value: str) -> None:
    """The address of a repository of the platform: over HTTPS, because a token opens it and no deploy key (http:// is
    for public ones in the installation's own network; the guard on outgoing addresses decides)."""
    validate_git_url(value)
    if not value.startswith(("https://", "http://")):
        raise ValidationError("Use an https:// address: the platform's repositories are opened by a token.")
    if "@" in urlsplit(value).netloc:
        raise ValidationError("Leave the user name out of the address: it has a field of its own.")


def validate_version(value: str) -> None:
    """A version of Odoo that the platform has rules for."""
    if value not in settings.POSTGRES_IMAGES:
        raise ValidationError(f"The platform runs {', '.join(settings.POSTGRES_IMAGES)}.")


def validate_version_map(value: Any) -> None:
    """{"19.0": "branch"}: a branch for each version of Odoo that there is one for."""
    if not isinstance(value, dict) or not value:
        raise ValidationError('Write a branch for each version, such as {"19.0": "19.0"}.')
    for version, branch in value.items():
        validate_version(version)
        if not isinstance(branch, str):
            raise ValidationError(f"The branch for {version} must be a text.")
        validate_git_reference(branch)
