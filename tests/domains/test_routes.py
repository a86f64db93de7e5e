"""The files of routes, as text: one golden file per kind. UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError

from apps.domains.routes import (
    RouteSpecification,
    RouteState,
    mark_of,
    render_certificate,
    render_route,
    render_shared,
)

GOLDEN = Path(__file__).parent / "golden"
ENVIRONMENT_ID = "0b9c1c8e-5f0a-4a51-9c0e-2f6f3a7f6d11"
SPECIFICATION = RouteSpecification(
    environment_id=ENVIRONMENT_ID,
    host_names=("shop-production.apps.example.com",),
    odoo_version="19.0",
    workers=4,
    upstream="10.96.0.5",
    tls=True,
)
VERSIONS = ("14.0", "15.0", "16.0", "17.0", "18.0", "19.0")
KINDS = {
    f"route-{version}-{'workers' if workers else 'threads'}-{'tls' if tls else 'plain'}": replace(
        SPECIFICATION, odoo_version=version, workers=workers, tls=tls
    )
    for version, workers, tls in itertools.product(VERSIONS, (4, 0), (True, False))
} | {
    f"route-{state}-{'tls' if tls else 'plain'}": replace(SPECIFICATION, state=state, tls=tls)
    for state, tls in itertools.product((RouteState.STOPPED, RouteState.PAUSED, RouteState.MAINTENANCE), (True, False))
}


def check(name: str, text: str) -> None:
    """Compares with the golden file."""
    path = GOLDEN / f"{name}.yml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("name", KINDS)
def test_the_file_of_a_route(name: str) -> None:
    check(name, render_route(KINDS[name]))


def test_the_file_that_all_routes_share() -> None:
    check("shared", render_shared())


def test_the_file_of_a_certificate() -> None:
    check(
        "certificate", render_certificate("/opt/oecsh/proxy/certificates/1.crt", "/opt/oecsh/proxy/certificates/1.key")
    )


def test_several_names_other_ports_and_strict_transport_security() -> None:
    names = ("shop.example.com", "www.shop.example.com")
    check("route-names", render_route(replace(SPECIFICATION, host_names=names, https_port=8443, hsts_seconds=31536000)))


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*KINDS, "shared", "certificate", "route-names"}


def routers_of(specification: RouteSpecification) -> dict[str, dict]:
    """The routers by what stands behind the environment's id."""
    http = yaml.safe_load(render_route(specification))["http"]
    return {name.removeprefix(f"e-{ENVIRONMENT_ID}").lstrip("-"): router for name, router in http["routers"].items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_real_time_requests_have_a_port_of_their_own_only_where_workers_run(version: str) -> None:
    services = yaml.safe_load(render_route(replace(SPECIFICATION, odoo_version=version)))["http"]["services"]
    addresses = {service["loadBalancer"]["servers"][0]["url"] for service in services.values()}
    assert addresses == {"http://10.96.0.5:8069", "http://10.96.0.5:8072"}
    without = render_route(replace(SPECIFICATION, odoo_version=version, workers=0))
    assert "8072" not in without


@pytest.mark.parametrize("version", VERSIONS)
def test_the_real_time_path_is_that_of_the_version(version: str) -> None:
    rule = routers_of(replace(SPECIFICATION, odoo_version=version))["realtime"]["rule"]
    assert ("/websocket" in rule) == (float(version) >= 16)
    assert ("/longpolling/" in rule) == (float(version) < 16)


def test_the_scheme_of_websockets_is_that_of_the_page() -> None:
    plain = routers_of(replace(SPECIFICATION, tls=False))
    assert plain["realtime"]["middlewares"] == ["oecsh-scheme-https@file"]
    assert plain["realtime-plain"]["middlewares"] == ["oecsh-scheme-http@file"]


def test_with_a_certificate_plain_http_only_redirects_and_shows_the_mark() -> None:
    plain = {name for name, router in routers_of(SPECIFICATION).items() if router["entryPoints"] == ["web"]}
    assert plain == {"redirect", "mark-plain"}


def test_the_mark_changes_with_everything_else() -> None:
    texts = [render_route(specification) for specification in KINDS.values()]
    assert len({mark_of(text) for text in texts}) == len(set(texts))
    assert mark_of(render_route(SPECIFICATION)) == mark_of(render_route(replace(SPECIFICATION)))


@pytest.mark.parametrize(
    "name", ["a`) || Host(`b", "a b.example.com", "", "UPPER.example.com", "-a.example.com", "a\n"]
)
def test_a_name_that_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises((ValidationError, ValueError)):
        replace(SPECIFICATION, host_names=(name,))
