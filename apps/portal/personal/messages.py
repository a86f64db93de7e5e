"""Texts of the problems of personal data."""

from __future__ import annotations

from apps.core.exceptions import Message, register

register(
    {
        "personal.confirmation_differs": Message("The address does not match.", "Type {expected} to confirm."),
        "personal.owns_organizations": Message(
            "You own {names}.", "Hand the ownership on, or delete the organization; then erase your account."
        ),
        "personal.last_administrator": Message(
            "You are the only administrator of this platform.", "Make somebody else a superuser first."
        ),
    }
)
