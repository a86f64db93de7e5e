"""Slack's incoming webhooks (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

from __future__ import annotations

from typing import Any

from apps.notifications.formats.facts import facts_of

COLOURS = {"info": "#5b7fd6", "success": "#2e9e5b", "warning": "#c98a0a", "error": "#d03b3b"}
# Slack's limits: of a header, of a field.
LONGEST_HEADER, LONGEST_FIELD = 150, 2000
_ZERO_WIDTH = "\u200b"


def render(body: dict[str, Any], level: str) -> dict[str, Any]:
    """A header, the facts, and a link; `text` is what notifications and screen readers get."""
    # Plain text objects show what they hold; the others are Slack's own markup.
    title = {"type": "plain_text", "text": body["title"][:LONGEST_HEADER], "emoji": False}
    fields = [
        {"type": "plain_text", "text": f"{name}: {value}"[:LONGEST_FIELD], "emoji": False}
        for name, value in facts_of(body)
    ]
    blocks: list[dict[str, Any]] = [{"type": "header", "text": title}]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    if body["url"]:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{_link(body['url'])}|Open in OEC.SH>"}})
    attachment = {"color": COLOURS[level], "blocks": blocks}
    return {"text": escape(body["title"]), "attachments": [attachment], "unfurl_links": False}


def escape(text: str) -> str:
    """Slack's three characters of control: nobody's name becomes a mention, a channel, or a link. Bold and code marks
    are kept apart from the words."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "*_~`":
        text = text.replace(mark, f"{_ZERO_WIDTH}{mark}{_ZERO_WIDTH}")
    return text


def _link(url: str) -> str:
    return url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
