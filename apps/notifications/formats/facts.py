"""What a chat message shows of an event, before it is put into a company's form."""

from __future__ import annotations

from typing import Any

LONGEST_VALUE = 300


def facts_of(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and value, in the order in which they are shown; what is not known is left out."""
    deployment = body["data"].get("deployment") or {}
    values = (
        ("Organization", (body["organization"] or {}).get("name")),
        ("Project", (body["project"] or {}).get("name")),
        ("Environment", (body["environment"] or {}).get("name")),
        ("State", body["data"].get("status")),
        ("Branch", deployment.get("branch")),
        ("Commit", (deployment.get("commit") or "")[:12]),
        ("By", (body["actor"] or {}).get("name")),
        ("Error", deployment.get("error") or body["data"].get("error") or body["data"].get("reason")),
    )
    return [(name, str(value)[:LONGEST_VALUE]) for name, value in values if value]
