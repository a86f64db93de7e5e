"""The people of the organization: who is in it, and inviting somebody."""

from __future__ import annotations

from typing import Any

import click

from oec import names, show
from oec.context import Context, pass_context


@click.command()
@pass_context
def members(context: Context) -> None:
    """The people of the organization."""
    context.list("/members", {"address": "email", "name": "display_name", "role": "role", "since": "created_at"})


@click.command()
@click.argument("email")
@click.option("--role", type=click.Choice(["admin", "developer", "viewer"]), default="developer", show_default=True)
@click.option("--project", "projects", multiple=True, help="Where a developer works at once; as often as needed.")
@click.option("--days", type=click.IntRange(1, 30), default=7, show_default=True, help="How long it is valid.")
@click.option("--message", help="A few words for the mail.")
@pass_context
def invite(context: Context, email: str, role: str, projects: tuple[str, ...], days: int, message: str | None) -> None:
    """Invite somebody into the organization, by mail."""
    body: dict[str, Any] = {"email": email, "role": role, "days": days}
    if projects:
        body["project_ids"] = [names.find_project(context.connection, one)["id"] for one in projects]
    if message:
        body["message"] = message
    made = context.connection.post("/invitations", body)
    if context.as_json:
        show.as_json(made)
        return
    click.echo(f"{made['email']} is invited as {made['role']}, until {made['expires_at']}.")
    if made["link"]:
        click.echo(f"The mail is on its way; the same link: {made['link']}")
