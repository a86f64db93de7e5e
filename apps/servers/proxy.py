"""The proxy and the responder on a server. Every function is "ensure": it looks, and acts on the difference."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import docker.errors

from apps.core.exceptions import Problem
from apps.servers import paths, render
from apps.servers.host import Host
from apps.servers.render import ContainerSpecification

if TYPE_CHECKING:
    from apps.operations.run import Run

HEALTHY_SECONDS = 90
_REPLACED = "_replaced"
_PORT_IN_USE = re.compile(r"port is already allocated|address already in use")
# Who listens on the TCP port $1, by the kernel's tables: `ss` and `lsof` are not everywhere.
_WHO_LISTENS = r"""
port=$(printf '%04X' "$1")
inodes=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$port" \
  '$4 == "0A" && substr($2, length($2) - 4) == port {print $10}' | sort -u)
[ -n "$inodes" ] || exit 0
for inode in $inodes; do
  for process in /proc/[0-9]*; do
    if ls -l "$process/fd" 2>/dev/null | grep -q "socket:\[$inode\]"; then
      echo "$(cat "$process/comm") (process ${process#/proc/})"
      exit 0
    fi
  done
done
echo "a program of another name space"
"""


def ensure_folders(host: Host) -> list[str]:
    """Makes the folders under our root; returns those that were missing."""
    wanted = {
        paths.ROOT: 0o755,
        paths.environments_directory(): 0o711,
        paths.trash_directory(): 0o700,
        paths.seeds_directory(): 0o711,
        paths.platform_directory(): 0o755,
        paths.proxy_directory(): 0o755,
        paths.routes_directory(): 0o755,
        paths.challenges_directory(): 0o755,
        paths.certificates_directory(): 0o700,
    }
    return [str(path) for path, mode in wanted.items() if host.files.make_directory(path, mode, (0, 0))]


def ensure_network(host: Host) -> bool:
    """The network between proxy and responder; True when it was made."""
    with contextlib.suppress(docker.errors.NotFound):
        host.docker.api.inspect_network(paths.PROXY_NETWORK)
        return False
    host.docker.api.create_network(
        paths.PROXY_NETWORK, driver="bridge", labels={render.LABEL_ROLE: "proxy"}, check_duplicate=True
    )
    return True


def write_configuration(host: Host) -> None:
    """The proxy's own file, and the file by which the responder shows that it serves."""
    host.files.write_if_changed(paths.proxy_configuration_file(), render.proxy_configuration(), 0o644)
    host.files.write_if_changed(paths.challenges_directory() / render.READY_FILE, "ready\n", 0o644)


def ensure_container(host: Host, run: Run, specification: ContainerSpecification) -> str:
    """Runs the container as specified and returns its id. One that is as specified stays untouched; another one is
    replaced, and the new one joins all networks that it was in. Raises Problem `servers.port_taken` or
    `servers.container_failed_to_start`."""
    current = _inspect(host, specification.name)
    replaced = _inspect(host, specification.name + _REPLACED)
    if current is not None and _digest(current) != specification.digest:
        run.info(f"{specification.name} is not as it should be: replacing it.")
        if replaced is not None:
            _remove(host, replaced)
        host.docker.api.rename(current["Id"], specification.name + _REPLACED)
        replaced, current = current, None
    if current is None:
        current = _create(host, specification, replaced)
        run.info(f"{specification.name} was made.")
    if replaced is not None:
        host.docker.api.stop(replaced["Id"], timeout=10)
    if not current["State"]["Running"]:
        _start(host, specification, current["Id"])
        run.info(f"{specification.name} was started.")
    if replaced is not None:
        _remove(host, replaced)
    return current["Id"]


def _create(host: Host, specification: ContainerSpecification, replaced: dict[str, Any] | None) -> dict[str, Any]:
    api = host.docker.api
    created = api.create_container_from_config(specification.as_api(), specification.name)
    for name, settings in (replaced["NetworkSettings"]["Networks"] if replaced else {}).items():
        if name != specification.network:
            address = (settings.get("IPAMConfig") or {}).get("IPv4Address")
            # A network has one holder of an address at a time: the old one lets go first.
            with contextlib.suppress(docker.errors.APIError):
                api.disconnect_container_from_network(replaced["Id"], name, force=True)
            api.connect_container_to_network(created["Id"], name, ipv4_address=address)
    return api.inspect_container(created["Id"])


def _start(host: Host, specification: ContainerSpecification, container_id: str) -> None:
    _check_ports(host, specification)
    try:
        host.docker.api.start(container_id)
    except docker.errors.APIError as error:
        reason = error.explanation or str(error)
        if _PORT_IN_USE.search(reason):
            _check_ports(host, specification)
            ports = " or ".join(str(port) for port in _published(specification))
            raise Problem("servers.port_taken", port=ports, process="another program") from error
        raise Problem("servers.container_failed_to_start", name=specification.name, reason=reason) from error


def _published(specification: ContainerSpecification) -> list[int]:
    bindings = specification.host_configuration.get("PortBindings", {})
    return [int(binding["HostPort"]) for choice in bindings.values() for binding in choice]


def _check_ports(host: Host, specification: ContainerSpecification) -> None:
    """Raises Problem `servers.port_taken` naming who has one of the ports that the container needs."""
    for port in _published(specification):
        holder = _container_on(host, port) or host.run_script(_WHO_LISTENS, port).stdout.strip()
        if holder:
            raise Problem("servers.port_taken", port=port, process=holder)


def _container_on(host: Host, port: int) -> str:
    for container in host.docker.api.containers():
        if any(binding.get("PublicPort") == port for binding in container.get("Ports") or []):
            return f"the container {container['Names'][0].lstrip('/')}"
    return ""


def wait_until_healthy(host: Host, run: Run, name: str, *, problem: str, seconds: float = HEALTHY_SECONDS) -> None:
    """Waits for the container's own health check; raises the Problem named `problem` with its last words."""
    run.debug(f"Waiting until {name} is healthy.")
    waited = 0.0
    while waited < seconds:
        # The engine looks every half minute only; asking the same question ourselves answers at once.
        state = host.docker.api.inspect_container(name)
        if state["State"]["Running"] and _passes_health_check(host, name, state["Config"]["Healthcheck"]["Test"]):
            return
        run.sleep(0.5)
        waited += 0.5
    words = host.docker.api.logs(name, tail=10).decode(errors="replace").strip().splitlines()
    raise Problem(problem, output=" / ".join(words) or "none", reason=f"waited {round(seconds)} seconds")


def _passes_health_check(host: Host, name: str, test: list[str]) -> bool:
    try:
        execution = host.docker.api.exec_create(name, test[1:])
        host.docker.api.exec_start(execution["Id"])
        return host.docker.api.exec_inspect(execution["Id"])["ExitCode"] == 0
    except docker.errors.APIError:
        # It stopped in between.
        return False


def remove(host: Host) -> None:
    """Removes the proxy, the responder, their network and their folder. Harmless where they are not."""
    for name in (paths.PROXY_NAME, paths.ACME_NAME):
        for container in (_inspect(host, name), _inspect(host, name + _REPLACED)):
            if container is not None:
                _remove(host, container)
    with contextlib.suppress(docker.errors.NotFound):
        host.docker.api.remove_network(paths.PROXY_NETWORK)
    host.files.remove_tree(paths.routes_directory())
    host.files.remove_tree(paths.challenges_directory())
    host.files.remove_tree(paths.certificates_directory())
    host.files.remove(paths.proxy_configuration_file())


def _inspect(host: Host, name: str) -> dict[str, Any] | None:
    try:
        return host.docker.api.inspect_container(name)
    except docker.errors.NotFound:
        return None


def _digest(container: dict[str, Any]) -> str:
    return (container["Config"].get("Labels") or {}).get(render.LABEL_SPECIFICATION, "")


def _remove(host: Host, container: dict[str, Any]) -> None:
    with contextlib.suppress(docker.errors.NotFound):
        host.docker.api.remove_container(container["Id"], force=True, v=True)
