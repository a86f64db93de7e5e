"""The grammars of what people type about servers."""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError

# What useradd(8) allows on Debian, Red Hat and Alpine alike, without the trailing dollar of Samba machines.
_USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_SMALLEST_RANGE = 24


def validate_user_name(value: str) -> None:
    """The name of a user on a Linux server."""
    if not _USER_NAME.fullmatch(value):
        raise ValidationError("Use small letters, digits, hyphens and underscores, beginning with a letter.")


def validate_network_range(value: str) -> None:
    """A private IPv4 network that holds at least sixteen environments."""
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValidationError("This is not an IPv4 network such as 10.96.0.0/16.") from error
    if not network.is_private or network.is_loopback or network.is_link_local or network.prefixlen > _SMALLEST_RANGE:
        raise ValidationError(f"Use a private network of /{_SMALLEST_RANGE} or larger, such as 10.96.0.0/16.")
