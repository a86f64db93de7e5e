"""The network of an environment: an explicit /28, because Docker's own pools end at about thirty networks."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import Any

import docker.errors
from docker.types import IPAMConfig, IPAMPool

from apps.core.exceptions import Problem
from apps.environments.render_containers import ENVIRONMENT_LABEL
from apps.environments.render_specification import EnvironmentSpecification
from apps.servers import paths
from apps.servers.host import Host


def ensure_network(host: Host, specification: EnvironmentSpecification) -> None:
    """Makes the network and connects the proxy to it under its fixed address."""
    found = _find(host, specification.network_name)
    if found is None:
        _create(host, specification)
        found = {}
    connect_proxy(host, specification, found)


def connect_proxy(host: Host, specification: EnvironmentSpecification, found: dict[str, Any]) -> None:
    """Lets the proxy reach the environment; it is in the network of every environment, and they are in none of each
    other's. Raises Problem `environments.no_proxy` where the server was never prepared."""
    connected = {container["Name"] for container in found.get("Containers", {}).values()}
    if paths.PROXY_NAME in connected:
        return
    try:
        host.docker.api.connect_container_to_network(
            paths.PROXY_NAME, specification.network_name, ipv4_address=specification.address("proxy")
        )
    except docker.errors.NotFound as error:
        raise Problem("environments.no_proxy") from error
    except docker.errors.APIError as error:
        if "already exists" not in str(error):
            raise Problem("environments.container_refused", container="proxy", words=error.explanation) from error


def remove_network(host: Host, specification: EnvironmentSpecification) -> None:
    """Takes the proxy out and removes the network; harmless where there is none."""
    api = host.docker.api
    name = specification.network_name
    with contextlib.suppress(docker.errors.NotFound, docker.errors.APIError):
        api.disconnect_container_from_network(paths.PROXY_NAME, name, force=True)
    with contextlib.suppress(docker.errors.NotFound):
        api.remove_network(name)


def _find(host: Host, name: str) -> dict[str, Any] | None:
    try:
        return host.docker.api.inspect_network(name)
    except docker.errors.NotFound:
        return None


def _create(host: Host, specification: EnvironmentSpecification) -> None:
    """Fixed addresses are in the lower half; what joins without one (jobs) gets one from the upper half."""
    subnet = ipaddress.ip_network(specification.subnet)
    lower, upper = subnet.subnets(prefixlen_diff=1)
    pool = IPAMPool(subnet=str(subnet), iprange=str(upper), gateway=str(lower[1]))
    try:
        host.docker.api.create_network(
            specification.network_name,
            driver="bridge",
            ipam=IPAMConfig(pool_configs=[pool]),
            labels={ENVIRONMENT_LABEL: specification.identifier},
            check_duplicate=True,
        )
    except docker.errors.APIError as error:
        if "already exists" in str(error):
            return
        if "overlaps" in str(error):
            raise Problem("environments.subnet_taken", subnet=specification.subnet) from error
        raise Problem("environments.container_refused", container="network", words=error.explanation) from error
