"""Before the authority is asked, the platform looks whether the token is there: at an address that somebody's DNS
names, so with all that guards such calls."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.domains.challenges import HttpSolver, Task

TASK = Task(name="shop.example.com", token="the-token", validation="the-token.of-the-account")


class Handler(BaseHTTPRequestHandler):
    """Answers what the test wants, and notes who was asked for."""

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"], self.path))
        if self.path == "/private":
            self.server.followed = True
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.status, server.headers, server.body = [], 200, {}, TASK.validation.encode()
    server.followed = False
    settings.ACME_HTTP_PORT = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(address: str = "127.0.0.1") -> str:
    return HttpSolver(host=None, server=None)._ask(TASK, address)


def test_the_token_is_found_under_the_names_own_host(site):
    assert ask() == ""
    assert site.asked == [("shop.example.com", "/.well-known/acme-challenge/the-token")]


def test_a_private_address_is_not_asked(site, settings):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    assert "private address" in ask()
    assert site.asked == []


def test_no_proxy_of_the_machine_is_used(site, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask() == ""


def test_a_redirect_is_not_followed(site):
    site.status, site.headers = 302, {"Location": "/private"}
    assert "answers HTTP 302" in ask()
    assert not site.followed


@pytest.mark.parametrize("body", [b"something else", b"x" * 100_000, b"\xff\xfe", b""])
def test_another_answer_is_said(site, body):
    site.body = body
    assert ask().startswith("127.0.0.1 answers")


def test_a_place_where_nothing_listens(site):
    site.shutdown()
    site.server_close()
    assert "does not answer" in ask()
