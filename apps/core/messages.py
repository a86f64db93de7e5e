"""Texts of the problems that core raises."""

from __future__ import annotations

from apps.core.exceptions import PLATFORM_STAFF, Message, register

register(
    {
        "core.address_not_allowed": Message(
            "The address {host} is not allowed.",
            "{reason} Use a public address, or ask platform staff to add its network to {setting}.",
        ),
        "core.address_unknown": Message(
            "The name {host} could not be resolved.",
            "Check the spelling, and that the name has an A or AAAA record.",
        ),
        "core.secret_unreadable": Message(
            "A stored secret cannot be decrypted any more ({secret}).",
            "Enter it again where that is possible; otherwise platform staff bring its key back to the key ring.",
            http_status=409,
        ),
        "core.unexpected": Message(
            "Something went wrong on the platform (reference {reference}).",
            "Try again; if it happens again, give the reference to platform staff.",
            PLATFORM_STAFF,
            500,
        ),
    }
)
