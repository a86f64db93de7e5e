"""What every command gets: the connection, and the one way to list and to follow."""

from __future__ import annotations

import json
from typing import Any

import click

from oec import names, show
from oec import settings as stored
from oec.connection import Connection
from oec.follow import events_of

FAILED = 1


class Context:
    """What every command gets."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(stored.load())
        return self._connection

    def environment(self, name: str) -> dict[str, Any]:
        return names.find_environment(self.connection, name)

    def list(self, path: str, columns: dict[str, str], **query: Any) -> None:
        rows = self.connection.all_of(path, **query)
        if self.as_json:
            show.as_json(list(rows))
        else:
            show.table(rows, columns)

    def started(self, answer: dict[str, Any], title: str, *, detach: bool) -> None:
        """Follows the task that an action started, and ends with its outcome."""
        if detach:
            show.as_json(answer) if self.as_json else click.echo(f"Task {answer['task_id']} is {answer['status']}.")
            return
        self.follow(answer["task_id"], title)

    def follow(self, task_id: str, title: str, *, with_log: bool = False) -> None:
        events = events_of(self.connection, task_id)
        if self.as_json:
            status = ""
            for event in events:
                click.echo(json.dumps({"event": event.name} | event.data, ensure_ascii=False))
                status = event.data.get("status", status) if event.name != "line" else status
        else:
            progress = show.Progress(title, with_log=with_log)
            status = progress.follow(events)
            if status != "completed":
                click.echo(progress.failure(), err=True)
        if status != "completed":
            raise SystemExit(FAILED)


pass_context = click.make_pass_decorator(Context)
