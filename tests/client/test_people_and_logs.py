"""`oec members`, `oec invite` and `oec logs`, before the portal; lines of a log come from a platform that says what a
test wants."""

from __future__ import annotations

import http.server
import json
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.api import keys
from apps.orgs.models import Invitation
from tests.cast import Cast
from tests.client.conftest import Terminal
from tests.factories import make_environment, make_project, make_server

ENVIRONMENT = str(uuid.UUID(int=1))
LINES = [
    {"sequence": 1, "level": "INFO", "text": "odoo begins", "at": "2026-01-31T12:00:00Z"},
    {"sequence": 2, "level": "ERROR", "text": "[bold]Boom[/bold]", "at": "2026-01-31T12:00:01Z"},
]


@pytest.mark.django_db(transaction=True)
class TestPeople:
    def test_members(self, terminal: Terminal) -> None:
        said = terminal("members")
        assert said.returncode == 0, said.stderr
        assert "vera@example.com" in said.stdout
        assert "charlie@example.com" not in said.stdout
        rows = json.loads(terminal("--json", "members").stdout)
        assert {row["role"] for row in rows} == {"owner", "admin", "developer", "viewer"}

    def test_inviting(self, terminal: Terminal, cast: Cast) -> None:
        project = make_project(cast.acme, "Shop")
        said = terminal("invite", "new@example.com", "--project", project.slug, "--days", "3")
        assert said.returncode == 0, said.stderr
        invitation = Invitation.objects.get()
        assert (invitation.email, invitation.role, invitation.project_ids) == (
            "new@example.com",
            "developer",
            [project.pk],
        )
        assert "new@example.com is invited as developer" in said.stdout
        assert invitation.link_token in said.stdout
        again = terminal("invite", "new@example.com")
        assert (again.returncode, "has an invitation already" in again.stderr) == (3, True)

    def test_as_json(self, terminal: Terminal) -> None:
        made = json.loads(terminal("--json", "invite", "new@example.com", "--role", "viewer").stdout)
        assert (made["role"], made["state"]) == ("viewer", "pending")

    def test_wrong_calls(self, terminal: Terminal) -> None:
        assert terminal("invite", "new@example.com", "--role", "owner").returncode == 2
        unknown = terminal("invite", "new@example.com", "--project", "nothing")
        assert (unknown.returncode, "There is no project" in unknown.stderr) == (2, True)
        assert terminal("invite", "nobody").returncode == 3
        assert not Invitation.objects.exists()

    def test_a_key_that_may_only_read(self, terminal: Terminal, cast: Cast) -> None:
        _, terminal.key = keys.create_key(organization=cast.acme, name="Reader", kind="ro", actor=cast.alice)
        said = terminal("invite", "new@example.com")
        assert (said.returncode, "may only read" in said.stderr) == (3, True)


@pytest.mark.django_db(transaction=True)
class TestNoLog:
    def test_what_stands_against_it(self, terminal: Terminal, cast: Cast) -> None:
        environment = make_environment(make_project(cast.acme, "Shop"))
        said = terminal("logs", str(environment.pk))
        assert (said.returncode, "There is no Odoo container" in said.stderr) == (3, True)

    def test_following_says_it_and_goes_on_until_it_is_stopped(self, terminal: Terminal, cast: Cast) -> None:
        environment = make_environment(make_project(cast.acme, "Shop"), server=make_server(cast.acme))
        process = terminal.start("logs", environment.host_name, "--follow")
        assert "host key" in process.stderr.readline()
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, complained = process.communicate(timeout=30)
        assert (process.returncode, "Traceback" in complained) == (130, False)

    def test_a_strangers(self, terminal: Terminal, cast: Cast) -> None:
        environment = make_environment(make_project(cast.umbrella, "Theirs"))
        assert terminal("logs", str(environment.pk)).returncode == 3


class Platform(http.server.BaseHTTPRequestHandler):
    """One environment with two lines in its log. A stream of it breaks off after each line, and ends after both."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path.endswith("/stream"):
            self._answer("text/event-stream", self._events())
        elif path.endswith("/logs"):
            self._answer("application/json", json.dumps({"lines": LINES, "last": 2, "more": False}))
        else:
            self._answer("application/json", json.dumps({"id": ENVIRONMENT}))

    def _events(self) -> str:
        last = int(self.headers.get("Last-Event-ID") or 0)
        if last == len(LINES):
            return 'event: problem\ndata: {"error": "x", "message": "Nobody is there."}\n\nevent: end\ndata: {}\n\n'
        return f"id: {last + 1}\nevent: line\ndata: {json.dumps(LINES[last])}\n\n"

    def _answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


class TestLines:
    @pytest.fixture
    def oec(self, tmp_path: Path) -> Iterator[Terminal]:
        Platform.asked = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Platform)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Terminal(tmp_path, f"http://127.0.0.1:{server.server_port}", "key")
        server.shutdown()
        server.server_close()

    def test_the_last_ones(self, oec: Terminal) -> None:
        said = oec("logs", ENVIRONMENT, "--tail", "7", "--level", "INFO", "--grep", "o")
        assert (said.returncode, said.stdout) == (0, "odoo begins\n[bold]Boom[/bold]\n")
        assert Platform.asked[-1].endswith("?tail=7&level=INFO&q=o")
        rows = [json.loads(line) for line in oec("--json", "logs", ENVIRONMENT).stdout.splitlines()]
        assert rows == LINES

    def test_followed_over_broken_connections_each_line_comes_once(self, oec: Terminal) -> None:
        said = oec("logs", ENVIRONMENT, "-f")
        assert (said.returncode, said.stdout) == (0, "odoo begins\n[bold]Boom[/bold]\n")
        assert "Nobody is there." in said.stderr
        events = [json.loads(line) for line in oec("--json", "logs", ENVIRONMENT, "-f").stdout.splitlines()]
        assert [event["event"] for event in events] == ["line", "line", "problem", "end"]
