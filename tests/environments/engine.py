"""A Docker engine that says what a test wants it to: a stranger's server may say anything."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import docker

Answer = Callable[[str], tuple[int, dict[str, str], Iterator[bytes]]]


@contextlib.contextmanager
def engine(answer: Answer) -> Iterator[SimpleNamespace]:
    """What takes the place of a host: docker-py, connected to an engine that answers each path with `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, pieces = answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = docker.APIClient(base_url=f"tcp://127.0.0.1:{server.server_port}", version="1.41")
        with contextlib.closing(api):
            yield SimpleNamespace(docker=SimpleNamespace(api=api))
    finally:
        server.shutdown()
        server.server_close()
