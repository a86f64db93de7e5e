"""Prepares a server: Docker where it is missing, folders, the proxy. Running it again changes nothing."""

from __future__ import annotations

import http.client
from pathlib import PurePosixPath

from django.conf import settings

from apps.core import outgoing
from apps.core.exceptions import Problem
from apps.operations.models import Operation
from apps.operations.pipeline import Pipeline, Step, register
from apps.servers import distributions, facts, networks, owner, paths, proxy, render, states
from apps.servers.host import CommandFailed
from apps.servers.host.images import ensure_image
from apps.servers.pipelines.context import ServerContext, load, open_server

DAEMON_CONFIGURATION_FILE = PurePosixPath("/etc/docker/daemon.json")
INSTALL_SECONDS = 900


def connect(context: ServerContext) -> None:
    host, server = context.host, context.server
    rights = "as root" if host.is_root else f"as {server.user}, with sudo"
    context.run.info(f"Connected to {server.address} port {server.port} {rights}; the host key is the confirmed one.")


def check_requirements(context: ServerContext) -> None:
    found, os_release = facts.gather(context.host)
    distribution, warnings = facts.check_requirements(found, os_release)
    context.run.info(f"{distribution.title}, {found.architecture}, kernel {found.kernel}.")
    context.run.info(
        f"{found.cpu_count} cores, {found.memory_megabytes} MB of memory, "
        f"{found.disk_free_megabytes} of {found.disk_total_megabytes} MB of disk free."
    )
    for warning in warnings:
        context.run.warning(warning)
    states.store_facts(context.server, found)


def claim(context: ServerContext) -> None:
    """Before anything is placed there: a machine is one server."""
    if owner.claim(context.host, context.server, take_over=context.run.parameters.get("take_over", False)):
        context.run.info(f"The machine is this server's now: {paths.owner_file()} says so.")
    else:
        context.run.info("The machine is this server's already.")


def install_docker(context: ServerContext) -> None:
    run, host = context.run, context.host
    found, os_release = facts.gather(host)
    if found.docker_version:
        run.info(f"Docker {found.docker_version} runs already and stays as it is.")
    else:
        if not found.docker_installed:
            _install(context, distributions.recognize(os_release))
        _start(context, found.init)
    engine = host.docker.version()
    run.info(f"Docker {engine['Version']}, API {host.docker.api.api_version}.")


def _install(context: ServerContext, distribution: distributions.Distribution) -> None:
    run, host = context.run, context.host
    run.info(f"Installing Docker from the package sources of {distribution.title}.")
    if not host.files.exists(DAEMON_CONFIGURATION_FILE):
        host.files.make_directory(DAEMON_CONFIGURATION_FILE.parent)
        host.files.write(DAEMON_CONFIGURATION_FILE, distributions.DAEMON_CONFIGURATION, 0o644, (0, 0))
    plan = distributions.install_plan(distribution, rpm_repository=settings.DOCKER_RPM_REPOSITORY)
    try:
        for command in plan.prepare:
            host.run(command, timeout=INSTALL_SECONDS, run=run)
        _first_that_works(context, plan.alternatives)
    except CommandFailed as failure:
        output = " / ".join((failure.result.stderr or failure.result.stdout).strip().splitlines()[-5:])
        raise Problem("servers.docker_install_failed", output=output) from failure


def _first_that_works(context: ServerContext, alternatives: tuple[distributions.Command, ...]) -> None:
    for command in alternatives[:-1]:
        if context.host.run(command, timeout=INSTALL_SECONDS, run=context.run, check=False).exit_code == 0:
            return
    context.host.run(alternatives[-1], timeout=INSTALL_SECONDS, run=context.run)


def _start(context: ServerContext, init: distributions.InitSystem) -> None:
    """Packages start the engine on most systems; on the others, and where it was stopped, we do."""
    run, host = context.run, context.host
    if host.docker_answers():
        return
    for command in distributions.start_commands(init):
        result = host.run(command, timeout=120, run=run, check=False)
        if result.exit_code != 0:
            run.warning(f"{' '.join(command)} ended with exit code {result.exit_code}.")
    for _ in range(60):
        if host.docker_answers():
            return
        run.sleep(0.5)
    raise Problem("servers.docker_not_running")


def prepare_folders(context: ServerContext) -> None:
    made = proxy.ensure_folders(context.host)
    proxy.write_configuration(context.host)
    context.run.info(f"Made {', '.join(made)}." if made else f"All folders under {paths.ROOT} are there.")


def create_networks(context: ServerContext) -> None:
    networks.check_range(context.host, context.server.network_range)
    if proxy.ensure_network(context.host):
        context.run.info(f"Made the network {paths.PROXY_NETWORK}.")
    context.run.info(f"Environments will get their networks from {context.server.network_range}.")


def pull_images(context: ServerContext) -> None:
    for reference in (settings.TRAEFIK_IMAGE, settings.TOOL_IMAGE):
        image = ensure_image(context.host, context.run, reference)
        context.run.info(f"{reference} is there ({image[7:19]}).")


def start_proxy(context: ServerContext) -> None:
    server = context.server
    specification = render.proxy_container(
        image=settings.TRAEFIK_IMAGE, http_port=server.http_port, https_port=server.https_port
    )
    proxy.ensure_container(context.host, context.run, specification)
    context.run.info(f"The proxy listens on the ports {server.http_port} and {server.https_port}.")


def start_responder(context: ServerContext) -> None:
    proxy.ensure_container(context.host, context.run, render.responder_container(image=settings.TOOL_IMAGE))


def verify(context: ServerContext) -> None:
    run, host, server = context.run, context.host, context.server
    proxy.wait_until_healthy(host, run, paths.PROXY_NAME, problem="servers.proxy_unhealthy")
    proxy.wait_until_healthy(host, run, paths.ACME_NAME, problem="servers.responder_unhealthy")
    run.info("Proxy and responder are healthy.")
    reason = _why_not_reachable(server.address, server.http_port)
    if reason:
        run.warning(
            f"The platform does not reach the proxy on {server.address} port {server.http_port} ({reason}). "
            f"Open the ports {server.http_port} and {server.https_port} in the firewall: people come in there."
        )
    else:
        run.info(f"{server.address} answers on port {server.http_port}.")
    states.store_facts(server, facts.gather(host)[0])


def _why_not_reachable(address: str, port: int) -> str:
    """Why an HTTP request to the proxy from here fails; empty when it is answered, with whatever status."""
    connection = http.client.HTTPConnection(outgoing.check_address(address, port)[0], port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": address})
        connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return ""


def succeeded(operation: Operation) -> None:
    states.bootstrapped(load(operation))


def failed(operation: Operation) -> None:
    states.bootstrap_failed(load(operation), reason=operation.error)


def cancelled(operation: Operation) -> None:
    states.bootstrap_failed(load(operation), reason="The preparation was cancelled.")


BOOTSTRAP = register(
    Pipeline(
        kind="servers.bootstrap",
        title="Prepare the server",
        open_context=open_server,
        on_success=succeeded,
        on_failure=failed,
        on_cancelled=cancelled,
        view_code="org.servers.list",
        cancel_code="org.servers.update",
        steps=(
            Step("connect", "Connect", connect, timeout=60),
            Step("check_requirements", "Check the requirements", check_requirements, timeout=120),
            Step("claim", "Claim the machine", claim, timeout=60),
            Step("install_docker", "Install Docker", install_docker, timeout=1800),
            Step("prepare_folders", "Prepare the folders", prepare_folders, timeout=120),
            Step("create_networks", "Create the networks", create_networks, timeout=120),
            Step("pull_images", "Pull the images", pull_images, timeout=900),
            Step("start_proxy", "Start the proxy", start_proxy, timeout=180),
            Step("start_responder", "Start the challenge responder", start_responder, timeout=180),
            Step("verify", "Verify", verify, timeout=240),
        ),
    )
)
