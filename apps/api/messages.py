"""Texts of the problems of API keys and of requests."""

from __future__ import annotations

from apps.core.exceptions import Message, register

register(
    {
        "api.only_members": Message(
            "Only a member of {organization} makes API keys for it.",
            "A key acts for the person who made it. Ask a member to make one.",
        ),
        "api.foreign_project": Message(
            "This project does not belong to {organization}.", "Choose a project of the organization."
        ),
        "api.expiry_in_the_past": Message("The key would have expired already.", "Choose a time to come."),
        "api.expiry_too_far": Message(
            "A key lives ten years at most.", "Choose an earlier expiry, or none: a key without one can be revoked."
        ),
        "api.maker_is_over": Message(
            "The key that asks for another one is revoked or expired.", "Make the key in the portal."
        ),
        "api.too_many_keys": Message(
            "{organization} has {count} API keys already.", "Revoke those that nobody uses any more."
        ),
        "api.key_outlives_its_maker": Message(
            "A key that is made with a key cannot live longer than that one.",
            "Give it an expiry before {limit}, or make it in the portal.",
        ),
        "api.idempotency_key_reused": Message(
            "This Idempotency-Key was used for another request.", "Use a new key for each different request."
        ),
        "api.idempotency_in_progress": Message(
            "The first request with this Idempotency-Key is not over yet.",
            "Send it again in a moment: the answer of the first one is given then.",
            http_status=409,
        ),
        "api.invalid_idempotency_key": Message(
            "An Idempotency-Key has 1 to 255 printable ASCII characters.", "A random UUID does well.", http_status=400
        ),
        "api.too_many_streams": Message(
            "{holder} has {count} event streams open already.", "Close one, or share it.", http_status=429
        ),
    }
)
