"""From what a person types to an id: an id, a host name, `project/environment`, or a project's short name."""

from __future__ import annotations

import uuid
from typing import Any

import click

from oec.connection import Connection


def find_environment(connection: Connection, name: str) -> dict[str, Any]:
    """The one environment that the name means. Raises click.UsageError where there is none, or more than one."""
    if _is_id(name):
        found: dict[str, Any] = connection.get(f"/environments/{name}")
        return found
    rows = list(connection.all_of("/environments"))
    project, _, slug = name.rpartition("/")
    slugs = {row["id"]: row["slug"] for row in connection.all_of("/projects")} if project else {}
    matches = [
        row
        for row in rows
        if name in (row["host_name"], row["url"])
        or (slug in (row["slug"], row["name"]) and (not project or slugs.get(row["project_id"]) == project))
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        hosts = ", ".join(row["host_name"] for row in matches)
        raise click.UsageError(f"Several environments are called {name}. Say which: {hosts}.")
    raise click.UsageError(f"There is no environment {name}. `oec environments` lists them.")


def find_project(connection: Connection, name: str) -> dict[str, Any]:
    """The project of this id, short name or name. Raises click.UsageError where there is none, or more than one."""
    if _is_id(name):
        found: dict[str, Any] = connection.get(f"/projects/{name}")
        return found
    matches = [row for row in connection.all_of("/projects") if name in (row["slug"], row["name"])]
    exact = [row for row in matches if row["slug"] == name] or matches
    if len(exact) == 1:
        return exact[0]
    if exact:
        raise click.UsageError(f"Several projects are called {name}. Say its short name: `oec projects` lists them.")
    raise click.UsageError(f"There is no project {name}. `oec projects` lists them.")


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
