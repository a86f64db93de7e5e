"""The commands. See README.md for all of them, and for what the exit codes mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from oec import logs, people, show
from oec import settings as stored
from oec.connection import Connection, Refused, Unreachable
from oec.context import Context, pass_context

REFUSED, UNREACHABLE = 3, 4
ACTIONS = ("start", "stop", "restart", "pause", "resume", "sync")


class Commands(click.Group):
    """Errors of the platform become words and exit codes in one place."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (Refused, stored.SettingsMissing) as error:
            click.echo(str(error), err=True)
            raise SystemExit(REFUSED) from error
        except Unreachable as error:
            click.echo(str(error), err=True)
            raise SystemExit(UNREACHABLE) from error
        except KeyboardInterrupt:
            click.echo("\nThe task goes on; `oec tasks` shows it.", err=True)
            raise SystemExit(130) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Print what the API answers.")
@click.version_option(package_name="oec")
@click.pass_context
def main(context: click.Context, as_json: bool) -> None:
    """Deploy and look after Odoo environments on OEC.SH."""
    context.obj = Context(as_json)


@main.command()
@click.option("--url", help="The portal's address.")
@click.option("--from", "source", type=click.Path(exists=True, path_type=Path), help="A file with portal_url, api_key.")
def login(url: str | None, source: Path | None) -> None:
    """Keep the platform's address and an API key, after trying them."""
    if source:
        settings = stored.read_file(source)
    else:
        url = url or click.prompt("The portal's address")
        if urlsplit(url).scheme not in ("http", "https"):
            raise click.UsageError("The address begins with https://.")
        settings = stored.Settings(url.rstrip("/"), click.prompt("API key", hide_input=True).strip())
    me = Connection(settings).get("/me")
    path = stored.store(settings)
    click.echo(f"{me['user']['email']} in {me['organization']['name']}; kept in {path}.")


@main.command()
@pass_context
def me(context: Context) -> None:
    """Whose key this is, and what it may."""
    found = context.connection.get("/me")
    if context.as_json:
        show.as_json(found)
        return
    key, organization = found["api_key"], found["organization"]
    click.echo(f"{found['user']['email']}, {organization['role']} of {organization['name']}")
    click.echo(f"key {key['name']} ({key['kind']}), {len(found['permissions'])} permissions")


@main.command()
@pass_context
def organizations(context: Context) -> None:
    """The organizations that the key sees."""
    context.list("/organizations", {"name": "name", "slug": "slug"})


@main.command()
@pass_context
def projects(context: Context) -> None:
    """The projects that the key sees."""
    columns = {
        "slug": "slug",
        "name": "name",
        "odoo": "odoo_version",
    }
    context.list("/projects", columns)


@main.command()
@pass_context
def servers(context: Context) -> None:
    """The servers that the key sees."""
    columns = {
        "name": "name",
        "address": "address",
        "status": "status",
    }
    context.list("/servers", columns)


@main.command()
@pass_context
def environments(context: Context) -> None:
    """The environments that the key sees."""
    columns = {
        "name": "name",
        "type": "env_type",
        "status": "status",
        "address": "url",
    }
    context.list("/environments", columns)


@main.command()
@click.argument("name")
@pass_context
def environment(context: Context, name: str) -> None:
    """One environment."""
    found = context.environment(name)
    if context.as_json:
        show.as_json(found)
        return
    for title in ("id", "name", "env_type", "status", "url", "git_branch", "cpu", "memory_megabytes", "workers"):
        click.echo(f"{title:<18}{found[title]}")
    click.echo(f"{'may now':<18}{', '.join(found['allowed_actions'])}")


@main.command()
@click.option("--status", help="Only those, for example running.")
@pass_context
def tasks(context: Context, status: str | None) -> None:
    """The newest tasks."""
    page = context.connection.get("/tasks", limit=30, status=status)
    if context.as_json:
        show.as_json(page["results"])
        return
    columns = {
        "id": "task_id",
        "task": "title",
        "status": "status",
        "%": "progress",
        "began": "started_at",
    }
    show.table(page["results"], columns)


@main.command()
@click.argument("name")
@click.option("--commit", help="Of the primary repository; otherwise the branch's newest.")
@click.option("--refresh-image", is_flag=True, help="Ask the registry for a newer image.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@pass_context
def deploy(context: Context, name: str, commit: str | None, refresh_image: bool, detach: bool) -> None:
    """Deploy an environment: sixteen steps, live."""
    found = context.environment(name)
    body: dict[str, Any] = {"refresh_image": refresh_image} | ({"commit": commit} if commit else {})
    answer = context.connection.post(f"/environments/{found['id']}/deploy", body)
    context.started(answer, f"Deploy {found['host_name']}", detach=detach)
    if not detach and not context.as_json:
        click.echo(f"{found['url']} serves.")


def _add_action(action: str) -> None:
    @main.command(action, help=f"{action.title()} an environment, and wait for it.")
    @click.argument("name")
    @click.option("--detach", is_flag=True, help="Do not wait for the end.")
    @pass_context
    def command(context: Context, name: str, detach: bool) -> None:
        found = context.environment(name)
        answer = context.connection.post(f"/environments/{found['id']}/{action}")
        context.started(answer, f"{action.title()} {found['host_name']}", detach=detach)


for _action in ACTIONS:
    _add_action(_action)
for _command in (logs.logs, people.members, people.invite):
    main.add_command(_command)


@main.command()
@click.argument("name")
@click.option("--confirm", help="The environment's name, or its host name in production; asked for otherwise.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@pass_context
def destroy(context: Context, name: str, confirm: str | None, detach: bool) -> None:
    """Take an environment off its server. Its data is kept aside for a while."""
    found = context.environment(name)
    is_production = found["env_type"] == "production"
    wanted = found["host_name"] if is_production else found["name"]
    typed = confirm if confirm is not None else click.prompt(f"This destroys {wanted}. Type it to go on")
    body = {"confirmation": typed, "understood": is_production}
    answer = context.connection.post(f"/environments/{found['id']}/destroy", body)
    context.started(answer, f"Destroy {found['host_name']}", detach=detach)


@main.command()
@click.argument("task_id", type=click.UUID)
@click.option("--log", "with_log", is_flag=True, help="Print the lines of its log as well.")
@pass_context
def task(context: Context, task_id: Any, with_log: bool) -> None:
    """Follow a task until it is over."""
    found = context.connection.get(f"/tasks/{task_id}")
    context.follow(str(task_id), found["title"], with_log=with_log)


@main.command()
@click.argument("task_id", type=click.UUID)
@click.option("--level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), help="This level and those above.")
@pass_context
def log(context: Context, task_id: Any, level: str | None) -> None:
    """The log of a task so far."""
    after = 0
    while True:
        page = context.connection.get(f"/tasks/{task_id}/logs", after=after, level=level)
        for line in page["lines"]:
            click.echo(json.dumps(line, ensure_ascii=False) if context.as_json else show.line_text(line))
        after = page["last"]
        if not page["more"]:
            return


@main.command()
@click.argument("task_id", type=click.UUID)
@pass_context
def cancel(context: Context, task_id: Any) -> None:
    """Ask a task to stop. What it did is undone."""
    show.as_json(context.connection.post(f"/tasks/{task_id}/cancel"))


@main.command()
@click.argument("task_id", type=click.UUID)
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@pass_context
def retry(context: Context, task_id: Any, detach: bool) -> None:
    """Do again what a failed or cancelled task did."""
    context.started(context.connection.post(f"/tasks/{task_id}/retry"), "Once more", detach=detach)


@main.command()
@click.argument("method", type=click.Choice(["GET", "POST", "PATCH", "PUT", "DELETE"], case_sensitive=False))
@click.argument("path")
@click.option("--data", help="The body, in JSON; `-` reads it from standard input.")
@pass_context
def api(context: Context, method: str, path: str, data: str | None) -> None:
    """Any address of the API, such as /servers."""
    text = sys.stdin.read() if data == "-" else data
    try:
        body = json.loads(text) if text else None
    except ValueError as error:
        raise click.UsageError(f"The body is not JSON: {error}") from error
    show.as_json(context.connection.request(method.upper(), "/" + path.lstrip("/"), body=body))
