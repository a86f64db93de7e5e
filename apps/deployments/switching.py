"""From the Odoo that serves to its successor: the old one goes on until the new one answers.

Two containers, two addresses: `<id>_odoo` serves, `<id>_odoo_next` is made, started and asked; then the route changes,
and only the last step stops the old one and gives its name to the new one. Until then everything can be put back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from apps.core.exceptions import Problem
from apps.deployments.context import DeployContext
from apps.deployments.health import ensure_alive, health_path, show_last_lines
from apps.domains import services as domains
from apps.domains.models import Route
from apps.environments import runtime
from apps.environments.render_containers import ContainerSpecification
from apps.environments.render_specification import HTTP_PORT
from apps.environments.runtime import SUCCESSOR
from apps.environments.runtime_containers import digest_of, find_container, state_of
from apps.environments.runtime_files import odoo_entries, open_gate, write_entries
from apps.servers.host import CommandFailed, CommandResult

_NOT_READY = 7
# Asked inside the container: nothing on the host can be counted on to speak HTTP, and every Odoo has Python.
_ASK = """import sys, time, urllib.error, urllib.request
address, deadline = sys.argv[1], time.time() + float(sys.argv[2])
while time.time() < deadline:
    try:
        urllib.request.urlopen(urllib.request.Request(address, headers={"Host": sys.argv[3]}), timeout=10)
        sys.exit(0)
    except urllib.error.HTTPError as error:
        print(error.code, flush=True)
    except OSError:
        pass
    time.sleep(0.05)
sys.exit(7)
"""


def choose_slot(context: DeployContext) -> dict[str, Any]:
    """Which address the successor gets: the one of the two that the container which serves does not have. Noted at
    once, so that a worker which goes on chooses the same."""
    run, specification = context.run, context.base_specification
    if "slot" not in run.data:
        found = find_container(context.host, specification.container_name("odoo"))
        networks = (found or {}).get("NetworkSettings", {}).get("Networks") or {}
        settings = (networks.get(specification.network_name) or {}).get("IPAMConfig") or {}
        current = settings.get("IPv4Address", "")
        free = next(
            specification.address(part) for part in ("odoo", SUCCESSOR) if specification.address(part) != current
        )
        run.remember(slot={"name": SUCCESSOR, "address": free, "current": current, "was": state_of(found)})
    return run.data["slot"]


def has_predecessor(context: DeployContext) -> bool:
    """True where an Odoo of an earlier deployment is there to be replaced."""
    return bool(choose_slot(context)["current"])


def was_running(context: DeployContext) -> bool:
    """True where that one served when this deployment began."""
    return choose_slot(context)["was"] == "running"


def wanted_container(context: DeployContext) -> ContainerSpecification:
    """Odoo's container of this release. While it starts it may use more than its share."""
    specification = context.specification("odoo").with_release(is_boosted=True)
    return runtime.configuration_of(specification, release=str(context.release.number))


def is_current(context: DeployContext) -> bool:
    """True where the container that is there has this very content: image, code, configuration, variables, address."""
    found = find_container(context.host, context.base_specification.container_name("odoo"))
    return found is not None and digest_of(found) == wanted_container(context).digest


def start_current(context: DeployContext) -> None:
    """Lets the container go on that is there, where nothing about it changed."""
    runtime.start_part(context.host, context.base_specification, "odoo")


def begin_successor(context: DeployContext, *, start: bool) -> None:
    """Begins to make the new container. One that starts already waits at its gate."""
    context.begin_early("successor", _successor(context, start=start))


def create_successor(context: DeployContext) -> None:
    """Makes the new container with its configuration; it does not start yet."""
    context.wait_for("successor", _successor(context))


def _successor(context: DeployContext, *, start: bool = False) -> Callable[[], None]:
    host, specification, wanted = context.host, context.specification("odoo"), wanted_container(context)

    def create() -> None:
        write_entries(host, specification, odoo_entries(specification))
        runtime.ensure_odoo_container(host, wanted, begin=start)

    return create


def begin_start(context: DeployContext) -> None:
    """Starts the new container while its database is finished: it imports, and waits at its gate."""
    host, wanted = context.host, wanted_container(context)
    context.begin_early("start", lambda: runtime.ensure_odoo_container(host, wanted))


def start_successor(context: DeployContext) -> None:
    """Starts the new container and opens its gate. Only when its database is as it should be."""
    context.let_end("start")
    open_gate(context.host, context.specification("odoo"))
    runtime.ensure_odoo_container(context.host, wanted_container(context))


def serving_name(context: DeployContext) -> str:
    """The container that is to serve: the successor, or the one that was there where nothing about it changed."""
    part = "odoo" if context.run.data.get("keeps_container") else SUCCESSOR
    return context.base_specification.container_name(part)


def wait_for_answer(context: DeployContext) -> None:
    """Asks the new Odoo directly, while the old one still serves. Raises Problem `deployments.not_healthy` or
    `deployments.odoo_ended`, with its last lines in the log."""
    name, seconds = serving_name(context), settings.ODOO_HEALTH_SECONDS
    path = health_path(context.environment.project.odoo_version)
    result = _ask(context, name)
    if result.exit_code == 0:
        return
    show_last_lines(context, name)
    ensure_alive(context, name)
    if result.exit_code != _NOT_READY:
        raise CommandFailed.of("docker", result)
    answers = result.stdout.split()
    words = f"HTTP {answers[-1]}" if answers else "no answer"
    raise Problem("deployments.not_healthy", seconds=seconds, words=f"{path}: {words}", reason="")


def _ask(context: DeployContext, name: str) -> CommandResult:
    """Waits until the Odoo in a container answers; `_NOT_READY` is the exit code where it did not."""
    seconds = settings.ODOO_HEALTH_SECONDS
    address = f"http://127.0.0.1:{HTTP_PORT}{health_path(context.environment.project.odoo_version)}"
    docker = ["docker", "--host", f"unix://{context.host.docker_socket}", "exec", "-i", name]
    arguments = [*docker, "python3", "-", address, seconds, context.environment.host_name]
    return context.host.run(arguments, input=_ASK, timeout=seconds + 15, check=False)


def switch_route(context: DeployContext) -> None:
    """The environment's name leads to the new container from now on."""
    upstream = choose_slot(context)["address"]
    if context.run.data.get("keeps_container"):
        upstream = choose_slot(context)["current"]
    domains.configure_routing(environment=context.environment, host=context.host, upstream=upstream, run=context.run)


def put_route_back(context: DeployContext) -> None:
    """The name leads to the old container again; harmless where it still does."""
    current = choose_slot(context)["current"]
    if current and Route.objects.filter(environment=context.environment).exists():
        domains.configure_routing(environment=context.environment, host=context.host, upstream=current, run=context.run)


def stop_predecessor(context: DeployContext) -> None:
    """Before the database changes: nobody may write into what is about to be replaced."""
    runtime.stop_part(context.host, context.base_specification, "odoo")


def start_predecessor(context: DeployContext) -> None:
    """Lets the old one go on, where it ran before, and waits until it serves again."""
    if has_predecessor(context) and was_running(context):
        runtime.start_part(context.host, context.base_specification, "odoo")
        if _ask(context, context.base_specification.container_name("odoo")).exit_code != 0:
            context.run.warning("The Odoo of before was started again, and does not answer yet.")


def remove_successor(context: DeployContext) -> None:
    """Takes the new container away; harmless where there is none."""
    runtime.remove_part(context.host, context.base_specification, SUCCESSOR)


def take_over(context: DeployContext) -> None:
    """The successor gets the name, the old one goes, and every part gets its own share of the processor."""
    specification = context.base_specification
    runtime.replace_odoo(context.host, specification)
    runtime.resize(context.host, specification)
