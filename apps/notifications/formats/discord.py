"""Discord's webhooks (https://discord.com/developers/docs/resources/webhook#execute-webhook)."""

from __future__ import annotations

import re
from typing import Any

from apps.notifications.formats.facts import facts_of

COLOURS = {"info": 0x5B7FD6, "success": 0x2E9E5B, "warning": 0xC98A0A, "error": 0xD03B3B}
LONGEST_TITLE, LONGEST_FIELD = 256, 1024
_MARKUP = re.compile(r"([\\*_~`|>\[\]()#<@:-])")


def render(body: dict[str, Any], level: str) -> dict[str, Any]:
    """One embed. Nobody is mentioned, whatever a name says."""
    fields = [
        {"name": name, "value": escape(value)[:LONGEST_FIELD].rstrip("\\") or "–", "inline": name != "Error"}
        for name, value in facts_of(body)
    ]
    embed: dict[str, Any] = {
        "title": escape(body["title"])[:LONGEST_TITLE].rstrip("\\"),
        "color": COLOURS[level],
        "timestamp": body["created_at"],
        "fields": fields,
    }
    if body["url"]:
        embed["url"] = body["url"]
    return {"username": "OEC.SH", "embeds": [embed], "allowed_mentions": {"parse": []}}


def escape(text: str) -> str:
    """Markdown's characters, each behind a backslash."""
    return _MARKUP.sub(r"\\\1", text)
