"""What a person sees: tables, and the steps of a task as they turn green."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from oec.follow import Event

MARKS = {
    "pending": ("·", "dim"),
    "running": ("▸", "bold cyan"),
    "completed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "skipped": ("–", "dim"),
    "cancelled": ("■", "yellow"),
}
STYLES = {"running": "green", "completed": "green", "ready": "green", "failed": "red", "error": "red"}


def as_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(rows: Iterable[dict[str, Any]], columns: dict[str, str]) -> None:
    """A line per row, with the field of each column; says so when there is none."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for title in columns:
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*(_cell(row.get(field)) for field in columns.values()))
    if not shown.row_count:
        click.echo("There is nothing here yet.")
        return
    Console().print(shown)


def _cell(value: Any) -> Text:
    """Text as it is: a name in square brackets is no markup."""
    words = "" if value is None else str(value)
    return Text(words, style=STYLES.get(words, ""))


class Progress:
    """A followed task. On a terminal its steps stand still and change in place, and the last line of the log stands
    below; elsewhere each step is told when it ends."""

    def __init__(self, title: str, *, with_log: bool = False) -> None:
        self.title, self.with_log = title, with_log
        self.console = Console()
        self.task: dict[str, Any] = {}
        self.told: set[str] = set()
        self.last_line = ""

    def follow(self, events: Iterable[Event]) -> str:
        """Shows events until the end; returns the task's last status."""
        if not self.console.is_terminal:
            for event in events:
                self.take(event)
                self._tell()
            return str(self.task.get("status", ""))
        with Live(self._picture(), console=self.console, refresh_per_second=8, transient=False) as live:
            for event in events:
                self.take(event)
                live.update(self._picture())
        return str(self.task.get("status", ""))

    def take(self, event: Event) -> None:
        if event.name == "task":
            self.task = event.data
        elif event.name == "end":
            self.task = self.task | event.data
        elif event.name == "line":
            self.last_line = event.data.get("text", "")
            if self.with_log:
                self.console.print(Text(line_text(event.data), style=_level_style(event.data)))

    def failure(self) -> str:
        """The error and what to do, of a task that did not succeed."""
        words = [str(self.task.get("error") or ""), str(self.task.get("hint") or "")]
        return "\n".join(word for word in words if word)

    def _tell(self) -> None:
        for step in self.task.get("steps", []):
            if step["name"] not in self.told and step["status"] not in ("pending", "running"):
                self.told.add(step["name"])
                self.console.print(_step_text(step))

    def _picture(self) -> Group:
        steps = self.task.get("steps", [])
        percent = self.task.get("progress", 0)
        head = Table.grid(padding=(0, 1))
        head.add_row(Text(self.title, style="bold"), ProgressBar(100, percent, width=30), f"{percent} %")
        parts: list[Any] = [head, *(_step_text(step) for step in steps)]
        if self.last_line and self.task.get("status") == "running" and not self.with_log:
            parts.append(Text(self.last_line, style="dim", no_wrap=True, overflow="ellipsis"))
        return Group(*parts)


def log_line(line: dict[str, Any]) -> None:
    """One line of an environment's log: on a terminal coloured by its level, elsewhere just as it was written."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(line.get("text", ""), style=_level_style(line)))


def line_text(line: dict[str, Any]) -> str:
    return f"{line.get('step') or '':<18} {line.get('level', ''):<7} {line.get('text', '')}"


def _level_style(line: dict[str, Any]) -> str:
    return {"ERROR": "red", "WARNING": "yellow", "DEBUG": "dim"}.get(line.get("level", ""), "")


def _step_text(step: dict[str, Any]) -> Text:
    mark, style = MARKS.get(step["status"], ("?", ""))
    took = f"{step['duration']:.1f} s" if step.get("duration") is not None and step["status"] != "skipped" else ""
    note = step.get("skipped_reason") or step.get("error") or ""
    text = Text()
    text.append(f" {mark} ", style=style)
    text.append(f"{step['title']:<28}", style=style if step["status"] in ("running", "failed") else "")
    text.append(f"{took:>9}", style="dim")
    if note:
        text.append(f"  {note}", style=style)
    return text
