"""Containers on a host: made from a specification, made anew only when its digest changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import docker.errors
from docker.types import LogConfig
from docker.types import Mount as DockerMount

from apps.core.exceptions import Problem
from apps.environments.render_containers import DIGEST_LABEL, ContainerSpecification, Mount
from apps.servers.host import Host

CPU_PERIOD = 100_000
LAST_LINES = 40


def find_container(host: Host, name: str) -> dict[str, Any] | None:
    """What Docker says about a container; None where there is none of that name."""
    try:
        return host.docker.api.inspect_container(name)
    except docker.errors.NotFound:
        return None


def state_of(found: Mapping[str, Any] | None) -> str:
    """`missing`, `created`, `running`, `paused`, `restarting`, `exited` or `dead`."""
    return found["State"]["Status"] if found else "missing"


def digest_of(found: Mapping[str, Any] | None) -> str:
    """The digest of the specification that a container was made from."""
    return ((found or {}).get("Config", {}).get("Labels") or {}).get(DIGEST_LABEL, "")


def ensure_container(host: Host, specification: ContainerSpecification, *, start: bool = True) -> bool:
    """Makes the container exist with this content, and run where `start`; True when it was made (anew)."""
    found = find_container(host, specification.name)
    is_current = digest_of(found) == specification.digest and has_address(found, specification)
    if found and not is_current:
        remove_container(host, specification.name, timeout=specification.stop_timeout)
    if not is_current:
        create_container(host, specification)
    elif _limits(found) != _limits_of(specification):
        set_limits(host, specification.name, specification.memory_megabytes, specification.cpu)
    if start:
        start_container(host, specification.name)
    return not is_current


def has_address(found: Mapping[str, Any] | None, specification: ContainerSpecification) -> bool:
    """Whether a container is in its network under its address."""
    networks = (found or {}).get("NetworkSettings", {}).get("Networks") or {}
    settings = (networks.get(specification.network) or {}).get("IPAMConfig") or {}
    return settings.get("IPv4Address") == specification.address


def create_container(host: Host, specification: ContainerSpecification) -> None:
    """Makes the container. One that somebody made in the same moment is accepted: names and content are ours."""
    api = host.docker.api
    network = api.create_endpoint_config(ipv4_address=specification.address, aliases=[specification.alias])
    with contextlib.suppress(_AlreadyThere):
        _create(
            api,
            name=specification.name,
            image=specification.image,
            command=list(specification.command),
            user=specification.user,
            environment=dict(specification.environment),
            labels={**specification.labels, DIGEST_LABEL: specification.digest},
            stop_signal=specification.stop_signal,
            host_config=_host_config(api, specification),
            networking_config=api.create_networking_config({specification.network: network}),
        )


def start_container(host: Host, name: str) -> None:
    """Starts a container, or lets a paused one go on; harmless where it runs."""
    with _explained(name):
        try:
            host.docker.api.start(name)
        except docker.errors.APIError as error:
            if "paused" not in str(error):
                raise
            host.docker.api.unpause(name)


def stop_container(host: Host, name: str, *, timeout: int = 30) -> None:
    """Stops a container with its own signal, after `timeout` seconds by force; harmless where there is none."""
    api = host.docker.api
    with contextlib.suppress(docker.errors.NotFound):
        if state_of(find_container(host, name)) == "paused":
            api.unpause(name)
        api.stop(name, timeout=timeout)


def remove_container(host: Host, name: str, *, timeout: int = 30) -> None:
    """Stops and removes a container with its anonymous volumes, which hold nothing of ours: data lie in folders."""
    stop_container(host, name, timeout=timeout)
    with contextlib.suppress(docker.errors.NotFound):
        host.docker.api.remove_container(name, v=True, force=True)


def rename_container(host: Host, name: str, new_name: str) -> None:
    """Renames; Raises docker's NotFound where there is no such container."""
    host.docker.api.rename(name, new_name)


def set_limits(host: Host, name: str, memory_megabytes: int, cpu: Decimal) -> None:
    """Changes memory and CPU of a container while it runs; harmless where there is none."""
    size = memory_megabytes * 2**20
    with contextlib.suppress(docker.errors.NotFound), _explained(name):
        host.docker.api.update_container(
            name, mem_limit=size, memswap_limit=size, cpu_period=CPU_PERIOD, cpu_quota=int(cpu * CPU_PERIOD)
        )


def last_lines(host: Host, name: str, count: int = LAST_LINES) -> list[str]:
    """The end of a container's log, both streams; empty where there is no container."""
    try:
        text = host.docker.api.logs(name, tail=count)
    except docker.errors.NotFound:
        return []
    return text.decode(errors="replace").splitlines()


def docker_mounts(mounts: Sequence[Mount]) -> list[DockerMount]:
    """Mounts as docker-py takes them."""
    return [
        DockerMount(target=mount.target, source=mount.source, type="bind", read_only=mount.read_only)
        for mount in mounts
    ]


class _AlreadyThere(Exception):
    """A container of this name exists."""


def _create(api: Any, **values: Any) -> None:
    try:
        api.create_container(**values)
    except docker.errors.APIError as error:
        if error.status_code == 409:
            raise _AlreadyThere from error
        raise _problem(values["name"], error) from error


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except docker.errors.NotFound:
        raise
    except docker.errors.APIError as error:
        raise _problem(name, error) from error


def _problem(name: str, error: docker.errors.APIError) -> Problem:
    words = str(error.explanation or error)
    if "no space left" in words:
        return Problem("servers.disk_full", path="Docker's own folder")
    return Problem("environments.container_refused", container=name.rpartition("_")[2], words=words)


def _host_config(api: Any, specification: ContainerSpecification) -> dict[str, Any]:
    size = specification.memory_megabytes * 2**20
    log_options = {"max-size": f"{specification.log_size_megabytes}m", "max-file": str(specification.log_files)}
    return api.create_host_config(
        mounts=docker_mounts(specification.mounts),
        mem_limit=size,
        memswap_limit=size,
        cpu_period=CPU_PERIOD,
        cpu_quota=int(specification.cpu * CPU_PERIOD),
        pids_limit=specification.pids_limit,
        shm_size=specification.shared_memory_megabytes * 2**20,
        restart_policy={"Name": specification.restart},
        log_config=LogConfig(type="json-file", config=log_options),
        security_opt=["no-new-privileges"],
        cap_drop=["ALL"],
        network_mode=specification.network,
    )


def _limits_of(specification: ContainerSpecification) -> tuple[int, int]:
    return specification.memory_megabytes * 2**20, int(specification.cpu * CPU_PERIOD)


def _limits(found: Mapping[str, Any]) -> tuple[int, int]:
    return found["HostConfig"]["Memory"], found["HostConfig"]["CpuQuota"]
