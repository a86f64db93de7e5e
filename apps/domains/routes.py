"""Routes as files for Traefik's file provider. Pure: the same specification gives the same text.

What Odoo asks of a proxy: https://www.odoo.com/documentation/19.0/administration/on_premise/deploy.html#https
What Traefik offers: https://doc.traefik.io/traefik/reference/routing-configuration/dynamic-configuration-methods/
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import Any

import yaml

from apps.core.validators import validate_host_name
from apps.servers import paths

HTTP_PORT = 8069
REALTIME_PORT = 8072
# Odoo's own example for nginx: a report or an import may take this long.
ANSWER_SECONDS = 720
# The proxy answers here itself and names the version of the route that it has loaded.
MARK_PATH = "/.well-known/oecsh-route"
MARK_HEADER = "X-Oecsh-Route"
FIRST_VERSION_WITH_WEBSOCKET = 16
# Zip files, PDF and images are compressed already: only text is worth the processor.
COMPRESSED_TYPES = [
    "text/html",
    "text/css",
    "text/plain",
    "text/xml",
    "application/javascript",
    "text/javascript",
    "application/json",
    "image/svg+xml",
]
HEADER = "# Written by OEC.SH; changes made here are lost.\n"


class RouteState(enum.StrEnum):
    """What visitors meet."""

    OPEN = "open"
    STOPPED = "stopped"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"


# The friendly pages, and the statuses that they dress. Odoo itself answers neither 502 nor 504.
PAGES = {
    RouteState.STOPPED: ["503"],
    RouteState.PAUSED: ["503"],
    RouteState.MAINTENANCE: ["503"],
    "unavailable": ["502", "504"],
}


@dataclass(frozen=True)
class RouteSpecification:
    """Everything that the route of one environment depends on.

    `upstream` is the name or address under which the proxy reaches the Odoo container. `tls`: a certificate lies on
    the server, so plain HTTP is redirected. `https_port` is the one visitors use. `hsts_seconds` 0: no such header.
    """

    environment_id: str
    host_names: tuple[str, ...]
    odoo_version: str
    workers: int
    upstream: str
    tls: bool
    https_port: int = 443
    hsts_seconds: int = 0
    state: RouteState = RouteState.OPEN

    def __post_init__(self) -> None:
        for name in self.host_names:
            validate_host_name(name)
        if not self.host_names:
            raise ValueError("A route needs a host name.")

    @property
    def major(self) -> int:
        """The Odoo series as a number, 19 for 19.0."""
        return int(self.odoo_version.partition(".")[0])


def render_route(specification: RouteSpecification) -> str:
    """The file of one environment. Its mark (see `mark_of`) is a digest of everything else in it."""
    document = _document(specification, mark="")
    return HEADER + _dump(_document(specification, mark=hashlib.sha256(_dump(document).encode()).hexdigest()[:16]))


def mark_of(text: str) -> str:
    """The mark inside a rendered file: what the proxy answers at MARK_PATH once it has loaded it."""
    middlewares = yaml.safe_load(text)["http"]["middlewares"]
    return next(
        entry["headers"]["customResponseHeaders"][MARK_HEADER]
        for name, entry in middlewares.items()
        if name.endswith("-mark")
    )


class _Dumper(yaml.SafeDumper):
    """Writes the same list twice rather than an anchor: people read these files when something is wrong."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=1000)


def _document(specification: RouteSpecification, *, mark: str) -> dict[str, Any]:
    name = f"e-{specification.environment_id}"
    routers = _Routers(specification, name)
    routers.add("mark", f"Path(`{MARK_PATH}`)", "noop@internal", ["mark"], priority=400)
    if specification.state is RouteState.OPEN:
        routers.add(
            "blocked", "PathPrefix(`/web/database`)", "noop@internal", ["oecsh-nothing-here@file"], priority=300
        )
        routers.add_realtime()
        middlewares = ["oecsh-page-unavailable@file", "oecsh-compress@file", *routers.transport_security]
        routers.add("", "", f"{name}-http", middlewares, priority=100)
    else:
        page = f"oecsh-page-{specification.state}@file"
        routers.add("", "", "oecsh-closed@file", [page], priority=100)
    http = {"routers": routers.entries, "middlewares": _middlewares(specification, name, mark)}
    if specification.state is RouteState.OPEN:
        http["services"] = _services(specification, name)
    return {"http": http}


class _Routers:
    """Each route once for plain HTTP and once for TLS."""

    def __init__(self, specification: RouteSpecification, name: str) -> None:
        self.specification = specification
        self.name = name
        self.entries: dict[str, Any] = {}
        hosts = " || ".join(f"Host(`{host}`)" for host in specification.host_names)
        self.hosts = f"({hosts})" if len(specification.host_names) > 1 else hosts
        self.transport_security = [f"{name}-hsts"] if specification.tls and specification.hsts_seconds else []
        if specification.tls:
            self.entries[f"{name}-redirect"] = {
                "entryPoints": ["web"],
                "rule": self.hosts,
                "priority": 200,
                "middlewares": [f"{name}-redirect"],
                "service": "noop@internal",
            }

    def add(self, part: str, rule: str, service: str, middlewares: list[str], *, priority: int) -> None:
        """Over plain HTTP only what a redirect to HTTPS does not take first; the mark is always there."""
        base = f"{self.name}-{part}" if part else self.name
        middlewares = [f"{self.name}-mark" if entry == "mark" else entry for entry in middlewares]
        router = {
            "rule": f"{self.hosts} && {rule}" if rule else self.hosts,
            "priority": priority,
            "middlewares": middlewares,
            "service": service,
        }
        if not self.specification.tls or part == "mark":
            self.entries[f"{base}-plain"] = {"entryPoints": ["web"], **router}
        self.entries[base] = {"entryPoints": ["websecure"], **router, "tls": {}}

    def add_realtime(self) -> None:
        """Websockets of Odoo 16 and later, long polling before: on a port of their own where workers run, and on
        the common port where there are none."""
        has_websocket = self.specification.major >= FIRST_VERSION_WITH_WEBSOCKET
        if not has_websocket and self.specification.workers == 0:
            return
        rule = "(Path(`/websocket`) || PathPrefix(`/websocket/`))" if has_websocket else "PathPrefix(`/longpolling/`)"
        service = f"{self.name}-{'realtime' if self.specification.workers else 'http'}"
        self.add("realtime", rule, service, [], priority=150)
        if has_websocket:
            # Traefik says `wss` and `ws`; Odoo compares the scheme with that of the page, which is https or http.
            for entry, scheme in ((f"{self.name}-realtime-plain", "http"), (f"{self.name}-realtime", "https")):
                if entry in self.entries:
                    self.entries[entry]["middlewares"] = [f"oecsh-scheme-{scheme}@file"]


def _middlewares(specification: RouteSpecification, name: str, mark: str) -> dict[str, Any]:
    middlewares: dict[str, Any] = {f"{name}-mark": {"headers": {"customResponseHeaders": {MARK_HEADER: mark}}}}
    if specification.tls:
        redirect: dict[str, Any] = {"scheme": "https", "permanent": True}
        if specification.https_port != 443:
            redirect["port"] = str(specification.https_port)
        middlewares[f"{name}-redirect"] = {"redirectScheme": redirect}
        if specification.hsts_seconds:
            middlewares[f"{name}-hsts"] = {"headers": {"stsSeconds": specification.hsts_seconds}}
    return middlewares


def _services(specification: RouteSpecification, name: str) -> dict[str, Any]:
    services = {f"{name}-http": _service(specification.upstream, HTTP_PORT)}
    if specification.workers:
        services[f"{name}-realtime"] = _service(specification.upstream, REALTIME_PORT)
    return services


def _service(upstream: str, port: int) -> dict[str, Any]:
    return {
        "loadBalancer": {
            "servers": [{"url": f"http://{upstream}:{port}"}],
            "serversTransport": "oecsh-odoo@file",
            "passHostHeader": True,
        }
    }


def render_certificate(certificate_path: str, key_path: str) -> str:
    """The file that tells the proxy of one certificate; it is chosen by the names inside it (SNI)."""
    return HEADER + _dump({"tls": {"certificates": [{"certFile": certificate_path, "keyFile": key_path}]}})


def render_shared(responder: str = paths.ACME_NAME, port: int = 8080) -> str:
    """The file with what all routes share: the challenge path, the friendly pages, time-outs."""
    pages = {
        f"oecsh-page-{page}": {
            "errors": {"status": statuses, "service": "oecsh-responder", "query": f"/{page_name(page)}"}
        }
        for page, statuses in PAGES.items()
    }
    http = {
        "routers": {
            "oecsh-challenge": {
                "entryPoints": ["web"],
                "rule": "PathPrefix(`/.well-known/acme-challenge/`)",
                "priority": 100000,
                "middlewares": ["oecsh-challenge-path"],
                "service": "oecsh-responder",
            }
        },
        "middlewares": {
            "oecsh-challenge-path": {"stripPrefix": {"prefixes": ["/.well-known/acme-challenge"]}},
            # No visitor has this address, so everybody gets the status.
            "oecsh-nothing-here": {"ipAllowList": {"sourceRange": ["0.0.0.0/32"], "rejectStatusCode": 404}},
            "oecsh-compress": {"compress": {"includedContentTypes": COMPRESSED_TYPES}},
            "oecsh-scheme-https": {"headers": {"customRequestHeaders": {"X-Forwarded-Proto": "https"}}},
            "oecsh-scheme-http": {"headers": {"customRequestHeaders": {"X-Forwarded-Proto": "http"}}},
            **pages,
        },
        "services": {
            "oecsh-responder": {"loadBalancer": {"servers": [{"url": f"http://{responder}:{port}"}]}},
            # Without a server Traefik answers 503, which the pages above dress.
            "oecsh-closed": {"loadBalancer": {"servers": []}},
        },
        "serversTransports": {
            "oecsh-odoo": {
                "forwardingTimeouts": {
                    "dialTimeout": "5s",
                    "responseHeaderTimeout": f"{ANSWER_SECONDS}s",
                    "idleConnTimeout": "60s",
                }
            }
        },
    }
    options = {"default": {"minVersion": "VersionTLS12"}}
    return HEADER + _dump({"http": http, "tls": {"options": options}})


def page_name(page: str) -> str:
    """The file of a friendly page; tokens of challenges have no dot, so the two never meet."""
    return f"{page}.html"
