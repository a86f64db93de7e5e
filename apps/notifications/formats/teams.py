"""Microsoft Teams: an Adaptive Card for a channel's workflow
(https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using)."""

from __future__ import annotations

from typing import Any

from apps.notifications.formats.facts import facts_of

COLOURS = {"info": "accent", "success": "good", "warning": "warning", "error": "attention"}


def render(body: dict[str, Any], level: str) -> dict[str, Any]:
    """Rich text blocks, which know no markup: what a name says is shown as it is."""
    lines = [_line([{"text": body["title"], "weight": "bolder", "size": "medium", "color": COLOURS[level]}])]
    for name, value in facts_of(body):
        lines.append(_line([{"text": f"{name}: ", "isSubtle": True}, {"text": value}]))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
    }
    if body["url"]:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in OEC.SH", "url": body["url"]}]
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _line(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run} for run in runs]}
