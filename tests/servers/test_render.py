"""The proxy and the responder, held by files: what changes there changes on every server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.servers import render

GOLDEN = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Compares with the file. Delete a file to have it written anew, then look at the difference."""
    file = GOLDEN / name
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        pytest.fail(f"{name} was missing and is written: look at it and keep it.")
    assert text == file.read_text()


def test_configuration_of_the_proxy() -> None:
    check("traefik.yml", render.proxy_configuration())


def test_container_of_the_proxy() -> None:
    specification = render.proxy_container(image="traefik:v3.7", http_port=80, https_port=443)
    check("proxy.json", json.dumps(specification.as_api(), indent=2) + "\n")


def test_container_of_the_responder() -> None:
    check("responder.json", json.dumps(render.responder_container(image="busybox:stable").as_api(), indent=2) + "\n")


def test_no_container_reaches_docker() -> None:
    for specification in (
        render.proxy_container(image="x", http_port=80, https_port=443),
        render.responder_container(image="x"),
    ):
        assert "docker.sock" not in json.dumps(specification.as_api())
        assert specification.host_configuration["CapDrop"] == ["ALL"]


def test_the_digest_tells_every_change() -> None:
    def digest(**changes) -> str:
        return render.proxy_container(**({"image": "a", "http_port": 80, "https_port": 443} | changes)).digest

    assert digest() == digest()
    assert len({digest(), digest(image="b"), digest(http_port=81), digest(https_port=444)}) == 4
