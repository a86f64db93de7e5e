"""What a browser does to show a log live, without the drawing: it signs in, listens to the websocket, and fetches
what it has not got yet whenever it is told that there is something new (as `static/js/operation.js` does)."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_SECONDS = 20
WITH_SOCKET_SECONDS = 15


@dataclass(frozen=True)
class SeenLine:
    """A line of a log as it was answered, and the moment at which it was there (seconds since 1970)."""

    answer: dict[str, Any]
    seen_at: float

    @property
    def text(self) -> str:
        """The line itself."""
        return self.answer["text"]

    @property
    def written_at(self) -> float:
        """When a step wrote it, or Docker took it."""
        return datetime.fromisoformat(self.answer.get("at") or self.answer["time"]).timestamp()


@dataclass
class Page:
    """An open page that follows a log: what it has seen so far, oldest first."""

    seen: list[SeenLine] = field(default_factory=list)
    last: int = 0
    is_open: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None

    def wait_for(self, words: str) -> SeenLine:
        """The first line that contains the words. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.failure is None:
            for line in self.seen:
                if words in line.text:
                    return line
            time.sleep(0.01)
        raise self.failure or TimeoutError(f"No line with {words!r} was seen within {PATIENCE_SECONDS} s.")


class Browser:
    """Signed in to the portal. Raises RuntimeError when the portal does not let the person in."""

    def __init__(self, portal_url: str, email: str, password: str) -> None:
        self.portal_url = portal_url
        self.session = requests.Session()
        sign_in = f"{portal_url}/account/login/"
        self.session.get(sign_in, timeout=PATIENCE_SECONDS)
        form = {"login": email, "password": password, "csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        self.session.post(sign_in, data=form, timeout=PATIENCE_SECONDS)
        if "sessionid" not in self.session.cookies:
            raise RuntimeError(f"{email} could not sign in at {portal_url}.")

    @contextlib.contextmanager
    def following(self, socket_path: str, lines_path: str, steps_path: str = "") -> Iterator[Page]:
        """A page that is open inside the block, in a thread of its own."""
        page = Page()
        address = self.portal_url.replace("http", "ws", 1) + socket_path
        cookies = "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())
        with connect(address, origin=self.portal_url, additional_headers={"Cookie": cookies}) as socket:
            arguments = (page, socket, lines_path, steps_path)
            thread = threading.Thread(target=self._follow, args=arguments, daemon=True)
            thread.start()
            if not page.is_open.wait(PATIENCE_SECONDS):
                raise page.failure or TimeoutError(f"{lines_path} did not answer.")
            yield page
            socket.close()
            thread.join(PATIENCE_SECONDS)

    def _follow(self, page: Page, socket: Any, lines_path: str, steps_path: str) -> None:
        version = -1
        try:
            self._fetch(page, lines_path)
            page.is_open.set()
            while True:
                try:
                    message = json.loads(socket.recv(timeout=WITH_SOCKET_SECONDS))
                except TimeoutError:
                    message = {}
                if message.get("sequence", page.last + 1) > page.last:
                    self._fetch(page, lines_path)
                if steps_path and message.get("version", 0) > version:
                    version = message["version"]
                    self._get(steps_path)
        except ConnectionClosed:
            pass
        except Exception as error:
            page.failure = error
            page.is_open.set()

    def _fetch(self, page: Page, lines_path: str) -> None:
        while True:
            answer = self._get(f"{lines_path}?after={page.last}").json()
            now = time.time()
            page.seen += [SeenLine(line, now) for line in answer["lines"]]
            page.last = answer["last"]
            if not answer["more"]:
                return

    def _get(self, path: str) -> requests.Response:
        answer = self.session.get(self.portal_url + path, timeout=PATIENCE_SECONDS)
        answer.raise_for_status()
        return answer
