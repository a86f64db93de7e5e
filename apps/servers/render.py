"""The proxy and the responder as values: configuration, container specifications. Pure, held by golden files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import yaml

from apps.servers import paths

LABEL_SPECIFICATION = "oecsh.specification"
LABEL_ROLE = "oecsh.role"
RESPONDER_PORT = 8080
INTERNAL_ENTRY_POINT = "127.0.0.1:8082"
READY_FILE = "ready"
_LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}
_NOBODY = "65534:65534"
_SECOND = 1_000_000_000


def proxy_configuration() -> str:
    """The static configuration of Traefik. Routes and certificates are files in the watched folder; there is no
    Docker socket. Health and metrics are for the inside of the container only."""
    return yaml.safe_dump(
        {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "log": {"level": "INFO", "noColor": True},
            "entryPoints": {
                "web": _entry_point(80),
                "websecure": _entry_point(443),
                "internal": {"address": INTERNAL_ENTRY_POINT},
            },
            "ping": {"entryPoint": "internal"},
            "metrics": {"prometheus": {"entryPoint": "internal", "addRoutersLabels": True}},
            "providers": {
                # By default a second change within two seconds waits.
                "providersThrottleDuration": "100ms",
                "file": {"directory": str(paths.routes_directory()), "watch": True},
            },
        },
        sort_keys=False,
    )


def _entry_point(port: int) -> dict[str, Any]:
    # Reports and uploads of Odoo take minutes: the default of 60 s would cut them.
    timeouts = {"readTimeout": "0s", "writeTimeout": "0s", "idleTimeout": "180s"}
    return {"address": f":{port}", "transport": {"respondingTimeouts": timeouts}}


@dataclass(frozen=True)
class ContainerSpecification:
    """A container that runs on: what it is made of, in the words of Docker's API."""

    name: str
    role: str
    image: str
    command: tuple[str, ...]
    network: str
    host_configuration: dict[str, Any]
    health_check: dict[str, Any]
    user: str = ""
    ports: tuple[int, ...] = ()
    configuration: str = ""

    @property
    def digest(self) -> str:
        """Changes when anything changes, the content of its configuration file included."""
        text = json.dumps(self.__dict__, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def as_api(self) -> dict[str, Any]:
        """The body of the request that creates the container."""
        return {
            "Image": self.image,
            "Cmd": list(self.command),
            "User": self.user,
            "Labels": {LABEL_ROLE: self.role, LABEL_SPECIFICATION: self.digest},
            "ExposedPorts": {f"{port}/tcp": {} for port in self.ports},
            "Healthcheck": self.health_check,
            "HostConfig": self.host_configuration,
            "NetworkingConfig": {"EndpointsConfig": {self.network: {}}},
        }


def _host_configuration(network: str, binds: list[str], **more: Any) -> dict[str, Any]:
    return {
        "NetworkMode": network,
        "Binds": binds,
        "RestartPolicy": {"Name": "unless-stopped"},
        "LogConfig": {"Type": "json-file", "Config": _LOG_OPTIONS},
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        **more,
    }


def _health_check(*command: str) -> dict[str, Any]:
    return {
        "Test": ["CMD", *command],
        "Interval": 30 * _SECOND,
        "Timeout": 5 * _SECOND,
        "StartPeriod": 5 * _SECOND,
        "Retries": 3,
    }


def proxy_container(*, image: str, http_port: int, https_port: int) -> ContainerSpecification:
    """Traefik. Its folder is mounted whole and at the same path, so that renamed files are seen."""
    folder, file = str(paths.proxy_directory()), str(paths.proxy_configuration_file())
    return ContainerSpecification(
        name=paths.PROXY_NAME,
        role="proxy",
        image=image,
        command=("traefik", f"--configFile={file}"),
        network=paths.PROXY_NETWORK,
        ports=(80, 443),
        host_configuration=_host_configuration(
            paths.PROXY_NETWORK,
            [f"{folder}:{folder}:ro"],
            CapAdd=["NET_BIND_SERVICE"],
            PortBindings={"80/tcp": [{"HostPort": str(http_port)}], "443/tcp": [{"HostPort": str(https_port)}]},
        ),
        health_check=_health_check("traefik", "healthcheck", f"--configFile={file}"),
        configuration=proxy_configuration(),
    )


def responder_container(*, image: str) -> ContainerSpecification:
    """The small web server that answers the challenges of certificate authorities, behind the proxy."""
    folder = str(paths.challenges_directory())
    return ContainerSpecification(
        name=paths.ACME_NAME,
        role="responder",
        image=image,
        command=("httpd", "-f", "-p", str(RESPONDER_PORT), "-h", folder),
        network=paths.PROXY_NETWORK,
        user=_NOBODY,
        host_configuration=_host_configuration(paths.PROXY_NETWORK, [f"{folder}:{folder}:ro"], Memory=32 * 1024 * 1024),
        health_check=_health_check("wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{RESPONDER_PORT}/{READY_FILE}"),
    )
