"""Filters for times, sizes and statuses, the same on every page."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from apps.core import clock

register = template.Library()


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Seconds or a timedelta as `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter
def relative_time(value: datetime | None) -> str:
    """`3 minutes ago`, with the exact time on hover in the person's zone."""
    if value is None:
        return "–"
    try:
        exact = timezone.localtime(value)
    except OverflowError:  # at the very end of year 9999, or the beginning of year 1
        exact = value
    elapsed = (clock.now() - value).total_seconds()
    text = "just now" if -60 < elapsed < 60 else f"{_since(value, elapsed)} ago"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S %Z}", text
    )


_UNITS = ((7 * 86400, "week"), (86400, "day"), (3600, "hour"), (60, "minute"))


def _since(value: datetime, seconds: float) -> str:
    """What `timesince` says with one unit. It looks at the calendar, which a list of recent moments need not."""
    if not 60 <= seconds < 28 * 86400:
        return timesince(value, clock.now(), depth=1)
    size, word = next(unit for unit in _UNITS if seconds >= unit[0])
    count = int(seconds // size)
    return f"{count}\xa0{word}" if count == 1 else f"{count}\xa0{word}s"


@register.filter
def megabytes(value: float | None) -> str:
    """Megabytes as `512 MB` or `2 GB`."""
    if value is None:
        return "–"
    return f"{value / 1024:.1f} GB".replace(".0 GB", " GB") if value >= 1024 else f"{value:.0f} MB"


STATUS_COLOURS = {
    "success": ("completed", "success", "running", "ready", "active", "valid"),
    "info": ("queued", "building", "deploying", "connecting", "cloning", "issuing"),
    "warning": ("paused", "stopped", "cancelled", "rolled_back", "skipped", "warning"),
    "error": ("failed", "error", "unreachable", "destroying", "expired"),
}


@register.filter
def status_colour(status: str) -> str:
    """The colour name of a status: success, info, warning, error or neutral."""
    return next((colour for colour, statuses in STATUS_COLOURS.items() if status in statuses), "neutral")


@register.filter
@functools.lru_cache(maxsize=256)
def status_badge(status: str) -> str:
    """A badge whose text names the status: colour is never the only sign."""
    return format_html(
        '<span class="badge badge-soft badge-{}" data-status="{}">{}</span>',
        status_colour(status),
        status,
        status.replace("_", " "),
    )
