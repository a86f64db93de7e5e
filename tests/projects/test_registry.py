"""Signing in at registries, with the flow that each asks for. The stand-ins speak the real protocol over a socket."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.core.exceptions import Problem
from apps.projects import registry
from apps.projects.models import RegistryAccount

GOOD = "Basic " + base64.b64encode(b"robot:pass-word").decode()
TOKEN = "a.bearer.token"


class Registry(ThreadingHTTPServer):
    """A registry in one of the ways that there are; remembers what it was asked."""

    def __init__(self, flow: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.flow = flow
        self.asked: list[tuple[str, str]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self.server.asked.append((self.path, given))
        getattr(self, self.server.flow)(urlsplit(self.path), given)

    def bearer(self, address, given) -> None:
        if address.path == "/token":
            query = parse_qs(address.query)
            good = given == GOOD and query["service"] == ["the registry"] and query["account"] == ["robot"]
            self.answer(200 if good else 401, json.dumps({"token": TOKEN}) if good else "")
        elif given == f"Bearer {TOKEN}":
            self.answer(200)
        else:
            realm = f"http://{self.server.host}/token"
            self.answer(401, challenge=f'Bearer realm="{realm}",service="the registry"')

    def basic(self, address, given) -> None:
        self.answer(200 if given == GOOD else 401, challenge='Basic realm="x"')

    def open(self, address, given) -> None:
        self.answer(200, "{}")

    def website(self, address, given) -> None:
        self.answer(404, "<html>")

    def redirect(self, address, given) -> None:
        self.answer(302, location="http://169.254.169.254/")

    def elsewhere(self, address, given) -> None:
        self.answer(401, challenge='Bearer realm="http://169.254.169.254/token",service="x"')

    def no_realm(self, address, given) -> None:
        self.answer(401, challenge='Bearer service="x"')

    def bad_token(self, address, given) -> None:
        if address.path == "/token":
            self.answer(200, json.dumps({"token": "a\r\nb"}))
        else:
            self.answer(401, challenge=f'Bearer realm="http://{self.server.host}/token"')

    def answer(self, status: int, body: str = "", *, challenge: str = "", location: str = "") -> None:
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def start() -> Iterator:
    servers: list[Registry] = []

    def started(flow: str) -> Registry:
        server = Registry(flow)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.shutdown()


def account(host: str, opens: str = "pass-word", kind: str = "other") -> RegistryAccount:
    return RegistryAccount(name="R", kind=kind, host=host, username="robot", password=opens)


@pytest.mark.parametrize("flow", ["bearer", "basic", "open"])
def test_the_right_password_is_let_in(start, flow):
    registry.check_login(account(start(flow).host))


@pytest.mark.parametrize("flow", ["bearer", "basic"])
def test_a_wrong_password_is_told(start, flow):
    with pytest.raises(Problem) as caught:
        registry.check_login(account(start(flow).host, "wrong"))
    assert caught.value.code == "projects.registry_refused"


def test_the_password_goes_to_the_token_service_only(start):
    server = start("bearer")
    registry.check_login(account(server.host))
    assert [(urlsplit(path).path, given) for path, given in server.asked] == [
        ("/v2/", ""),
        ("/token", GOOD),
        ("/v2/", f"Bearer {TOKEN}"),
    ]


@pytest.mark.parametrize("flow", ["website", "redirect", "no_realm", "bad_token"])
def test_something_that_is_no_registry(start, flow):
    with pytest.raises(Problem) as caught:
        registry.check_login(account(start(flow).host))
    assert caught.value.code == "projects.registry_not_a_registry"


def test_a_token_service_inside_our_network_is_not_called(start):
    with pytest.raises(Problem) as caught:
        registry.check_login(account(start("elsewhere").host))
    assert caught.value.code == "core.address_not_allowed"


def test_a_registry_that_is_not_there():
    with pytest.raises(Problem) as caught:
        registry.check_login(account("127.0.0.1:9"))
    assert caught.value.code == "projects.registry_unreachable"


def test_private_addresses_are_refused_unless_allowed(start, settings):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    server = start("open")
    with pytest.raises(Problem) as caught:
        registry.check_login(account(server.host))
    assert caught.value.code == "core.address_not_allowed"
    assert server.asked == []


def test_what_docker_gets():
    assert registry.authentication(account("ghcr.io")) == {
        "username": "robot",
        "password": "pass-word",
        "serveraddress": "ghcr.io",
    }
    hub = registry.authentication(account("docker.io", kind="docker_hub"))
    assert hub["serveraddress"] == "https://index.docker.io/v1/"


def test_amazons_access_key_buys_a_password(monkeypatch):
    class Amazon(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"].endswith("GetAuthorizationToken")
            good = "Credential=robot/" in self.headers["Authorization"]
            token = base64.b64encode(b"AWS:for-twelve-hours").decode()
            body = {"authorizationData": [{"authorizationToken": token}]} if good else {"__type": "Denied"}
            text = json.dumps(body).encode()
            self.send_response(200 if good else 400)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Amazon)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", f"http://127.0.0.1:{server.server_port}")
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    try:
        login = registry.authentication(account(host, kind="ecr"))
        assert (login["username"], login["password"]) == ("AWS", "for-twelve-hours")
        wrong = account(host, kind="ecr")
        wrong.username = "stranger"
        with pytest.raises(Problem) as caught:
            registry.authentication(wrong)
        assert caught.value.code == "projects.registry_refused"
    finally:
        server.shutdown()


@pytest.mark.parametrize("host", ["example.com", "1.dkr.ecr.eu.amazonaws.com", "x.amazonaws.com.evil.com"])
def test_amazons_registries_have_their_own_names(host):
    with pytest.raises(Problem) as caught:
        registry.authentication(account(host, kind="ecr"))
    assert caught.value.code == "projects.registry_not_a_registry"


@pytest.mark.lab
def test_a_real_registry(private_registry):
    def try_with(password: str) -> None:
        account = RegistryAccount(kind="other", host=private_registry.host, username=private_registry.user)
        account.password = password
        registry.check_login(account)

    try_with(private_registry.password)
    with pytest.raises(Problem) as caught:
        try_with("wrong")
    assert caught.value.code == "projects.registry_refused"
