"""Smart HTTP for the repositories in a folder: a small server in front of Git's own `git http-backend`.

Run by `GitServer` as a process of its own: python -m tests.lab.git_http DIRECTORY ADDRESS PORT. Next to `NAME.git` lies
`NAME.access.json` (see `Access`), read at each request. The log has one line per request, never with credentials.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import json
import os
import re
import subprocess
import time
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO
from urllib.parse import unquote

PATH = re.compile(r"/(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)\.git(?P<rest>/[A-Za-z0-9_./-]*)")
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Access:
    """Who may read a repository: everybody, or who has the token (as password, or as name without one). Writing takes
    the token always."""

    private: bool = False
    token: str = ""
    delay: float = 0
    """Seconds to wait before each answer: a slow server."""

    @classmethod
    def read(cls, directory: Path, name: str) -> Access:
        try:
            return cls(**json.loads((directory / f"{name}.access.json").read_text()))
        except FileNotFoundError:
            return cls()

    def write(self, directory: Path, name: str) -> None:
        aside = directory / f"{name}.access.new"
        aside.write_text(json.dumps(asdict(self)))
        aside.replace(directory / f"{name}.access.json")

    def admits(self, user: str, password: str) -> bool:
        return hmac.compare_digest(password or user, self.token)


class Handler(BaseHTTPRequestHandler):
    directory: Path

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        match = PATH.fullmatch(unquote(path))
        if match is None or ".." in match["rest"] or not (self.directory / f"{match['name']}.git").is_dir():
            self.send_error(404)
            return
        access = Access.read(self.directory, match["name"])
        user, password = self._credentials()
        admitted = bool(access.token) and access.admits(user, password)
        writing = "git-receive-pack" in self.path
        if (access.private or writing) and not admitted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="Git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        time.sleep(access.delay)
        self._run_backend(f"/{match['name']}.git{match['rest']}", query, user if admitted else "")

    def _credentials(self) -> tuple[str, str]:
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return "", ""
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password

    def _run_backend(self, path: str, query: str, user: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": self.client_address[0],
        }
        if user:
            environment["REMOTE_USER"] = user  # what makes the backend accept a push
        body = self._body()
        environment["CONTENT_LENGTH"] = str(len(body))
        with subprocess.Popen(
            ["git", "http-backend"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        ) as backend:
            assert backend.stdin is not None
            assert backend.stdout is not None
            backend.stdin.write(body)
            backend.stdin.close()
            self._pass_on(backend.stdout)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _pass_on(self, answer: IO[bytes]) -> None:
        """Turn the backend's CGI answer into HTTP; the end of the connection is the end of the body."""
        headers = []
        status = 200
        while line := answer.readline().strip().decode("latin-1"):
            name, _, value = line.partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        while chunk := answer.read(CHUNK):
            self.wfile.write(chunk)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    Handler.directory = arguments.directory
    ThreadingHTTPServer((arguments.address, arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
