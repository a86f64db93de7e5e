"""What the tests of projects share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from apps.projects import credentials
from apps.projects.models import GitCredential, Project, Repository
from apps.projects.services import add_repository
from apps.projects.validators import host_of
from tests.factories import make_project

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.lab.git import GitRepository


class Recorder:
    """A run that remembers what it was told, and stops the work when it should."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stop: BaseException | None = None
        self.checks = 0

    def info(self, text: str) -> None:
        self.lines.append(text)

    warning = debug = error = info

    def progress(self, done: int, total: int, unit: str) -> None:
        self.lines.append(f"{done}/{total} {unit}")

    def check(self) -> None:
        self.checks += 1
        if self.stop is not None:
            raise self.stop


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def project(cast: Cast) -> Project:
    """Acme's project Shop."""
    return make_project(cast.acme)


@pytest.fixture(autouse=True)
def _own_mirrors(tmp_path: Path, settings: Any) -> None:
    settings.RUN_DIRECTORY = tmp_path


@pytest.fixture
def connect(cast: Cast, project: Project) -> Callable[..., Repository]:
    """Stores a repository of the lab's Git server as the project's own."""

    def connected(
        remote: GitRepository, *, credential: GitCredential | None = None, ssh: bool = False, **fields: Any
    ) -> Repository:
        values = {"kind": Repository.Kind.PRIMARY, "branch": "main"} | fields
        url = remote.ssh_url if ssh else remote.url
        return add_repository(project=project, url=url, credential=credential, actor=cast.alice, **values)

    return connected


@pytest.fixture
def token_for(cast: Cast) -> Callable[..., GitCredential]:
    """A stored access token for a repository's server."""

    def stored(remote: GitRepository, token: str = "") -> GitCredential:
        return credentials.add_token(
            organization=cast.acme,
            name=credentials.free_name(cast.acme, "Token"),
            host=host_of(remote.url),
            token=token or remote.token,
            actor=cast.alice,
        )

    return stored


@pytest.fixture
def deploy_key(cast: Cast) -> GitCredential:
    """A deploy key of Acme."""
    return credentials.generate_deploy_key(organization=cast.acme, name="Key", actor=cast.alice)


@pytest.fixture
def redirecting_server(git_server: Any) -> Iterator[Callable[[str], str]]:
    """A web server that answers everything with a redirection to where the repository really is."""
    servers: list[HTTPServer] = []

    def start(target: str) -> str:
        class Redirect(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("Location", target + self.path.removeprefix("/public.git"))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer((git_server.address, 0), Redirect)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://{git_server.address}:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
