"""Tags that every template has without loading them (`builtins` in the settings): icons, capacity bars, sorting."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.templatetags.core import status_badge

register = template.Library()

STEP_ICONS = {
    "completed": "circle-check",
    "failed": "circle-x",
    "running": "loader-circle",
    "skipped": "circle-minus",
    "cancelled": "circle-slash",
    "queued": "circle",
}
WARNING_PERCENT = 80
FULL_PERCENT = 95


@register.simple_tag
def icon(name: str, label: str = "", classes: str = "") -> SafeString:
    """An icon from `static_src/icons.txt`; decoration for a screen reader unless it gets a label."""
    return _icon(_icons_address(), name, label, classes)


@functools.cache
def _icons_address() -> str:
    # The same for the life of a process: the list of hashed names is read once too.
    return static("build/icons.svg")


@functools.lru_cache(maxsize=4096)
def _icon(address: str, name: str, label: str, classes: str) -> SafeString:
    described = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html('<svg class="icon {}" {}><use href="{}#{}"></use></svg>', classes, described, address, name)


@register.filter
def step_icon(status: str) -> str:
    """The icon of a step: its shape tells the status, not its colour alone."""
    return STEP_ICONS.get(status, "circle-dashed")


@register.filter
def operation_badge(status: str) -> SafeString:
    """The badge of an operation: running is on its way, unlike a running environment, which is as it should be."""
    if status != "running":
        return status_badge(status)
    return format_html('<span class="badge badge-soft badge-info" data-status="{}" data-busy>{}</span>', status, status)


@register.inclusion_tag("components/meter.html")
def meter(label: str, used: float, total: float, text: str = "", segments: Iterable[tuple[str, float]] = ()) -> dict:
    """A bar of what is taken out of a total; `segments` are (name, amount) pairs, shown side by side.

    From 80 percent on it warns, from 95 on it alarms. Widths are SVG attributes: the pages allow no inline styles.
    """
    total = float(total or 0)
    parts, left = [], 0.0
    for name, amount in segments or [(label, used)]:
        width = _percent(amount, total, limit=100 - left)
        parts.append({"name": name, "amount": amount, "left": f"{left:.2f}%", "width": f"{width:.2f}%"})
        left += width
    percent = _percent(used, total, limit=999)
    state = "is-full" if percent >= FULL_PERCENT else "is-high" if percent >= WARNING_PERCENT else ""
    return {"label": label, "text": text, "parts": parts, "percent": round(percent), "state": state}


def _percent(amount: float, total: float, limit: float) -> float:
    return max(0.0, min(limit, float(amount or 0) * 100 / total)) if total else 0.0


@register.simple_tag(takes_context=True)
def sort_link(context: template.Context, field: str, label: str) -> SafeString:
    """The head of a sortable column: a link that keeps the other filters and turns the order round."""
    request = context["request"]
    current = request.GET.get("sort", "")
    query = request.GET.copy()
    query["sort"] = f"-{field}" if current == field else field
    query.pop("page", None)
    arrow = {field: "↑", f"-{field}": "↓"}.get(current, "")
    return format_html('<a href="?{}">{} <span aria-hidden="true">{}</span></a>', query.urlencode(), label, arrow)


@register.filter
def aria_sort(request: Any, field: str) -> str:
    """The value of `aria-sort` for a column."""
    return {field: "ascending", f"-{field}": "descending"}.get(request.GET.get("sort", ""), "none")


@register.filter
def widget_kind(bound_field: Any) -> str:
    """How a field is laid out: `check` for one box, `group` for several controls, `plain` else."""
    widget = bound_field.field.widget
    if getattr(widget, "input_type", "") == "checkbox" and not hasattr(widget, "choices"):
        return "check"
    return "group" if bound_field.use_fieldset else "plain"


@register.filter
def elided(paginator: Any, number: int) -> Iterable[int | str]:
    """Page numbers around the current one, with an ellipsis for what is left out."""
    return paginator.get_elided_page_range(number, on_each_side=1, on_ends=1)


@register.filter
def is_number(value: object) -> bool:
    """True for a page number, False for the ellipsis between numbers."""
    return isinstance(value, int)


@register.filter
def split_words(text: str) -> list[str]:
    """`"a b"|split_words`: a list for a loop."""
    return text.split()


@register.filter
def plain_number(value: Decimal | float | None) -> str:
    """`4`, `2.5`, `0.25`: no zeros at the end, no exponent."""
    return "–" if value is None else f"{Decimal(str(value)).normalize():f}"
