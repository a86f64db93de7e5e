"""What the body of a call looks like, by the webhook's format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.notifications.formats import discord, slack, teams
from apps.notifications.models import Event, Format
from apps.notifications.publishing import body_of

_RENDERERS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    Format.SLACK: slack.render,
    Format.TEAMS: teams.render,
    Format.DISCORD: discord.render,
}


def render(format_name: str, event: Event) -> dict[str, Any]:
    """The body for one format, ready for JSON."""
    body = body_of(event)
    renderer = _RENDERERS.get(format_name)
    return body if renderer is None else renderer(body, event.level)
