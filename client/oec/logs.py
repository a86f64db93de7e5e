"""The log of a running environment: the last lines, or what comes."""

from __future__ import annotations

import json
from typing import Any

import click

from oec import show
from oec.context import Context, pass_context
from oec.follow import events_at

INTERRUPTED = 130


@click.command()
@click.argument("name")
@click.option("--follow", "-f", is_flag=True, help="Go on with what Odoo writes, until Ctrl-C.")
@click.option(
    "--tail", type=click.IntRange(1, 3000), default=100, show_default=True, help="How many of the last lines."
)
@click.option("--level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), help="This level and those above.")
@click.option("--grep", "words", help="Only lines that contain these words, in any case.")
@pass_context
def logs(context: Context, name: str, follow: bool, tail: int, level: str | None, words: str | None) -> None:
    """What Odoo writes in an environment."""
    path = f"/environments/{context.environment(name)['id']}/logs"
    query = {"tail": tail, "level": level, "q": words}
    if not follow:
        for line in context.connection.get(path, **query)["lines"]:
            _print(context, line)
        return
    try:
        for event in events_at(context.connection, f"{path}/stream", **query):
            if event.name == "line":
                _print(context, event.data, event="line")
            elif context.as_json:
                _print(context, event.data, event=event.name)
            elif event.name == "problem":
                click.echo(event.data["message"], err=True)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _print(context: Context, line: dict[str, Any], **more: str) -> None:
    if context.as_json:
        click.echo(json.dumps(more | line, ensure_ascii=False))
    else:
        show.log_line(line)
