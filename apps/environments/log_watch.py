"""Noticing at once that a container wrote something: one thread and one connection per watched environment and web
process, shared by everybody who looks, and gone with the last of them."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import docker.errors
import structlog

from apps.core.exceptions import Problem, RetryableError
from apps.environments.models import Environment
from apps.servers.host import Host, endpoint_of, open_host

logger = structlog.get_logger(__name__)

Listener = Callable[[], None]
AGAIN_SECONDS = 2
SHORTEST_PAUSE = 0.1

_lock = threading.Lock()
_watchers: dict[uuid.UUID, _Watcher] = {}


def watch(environment: Environment, listener: Listener) -> Callable[[], None]:
    """Calls `listener` (from another thread) whenever there are new lines, until the returned function is called."""
    with _lock:
        watcher = _watchers.get(environment.pk)
        if watcher is None or watcher.is_over:
            watcher = _watchers[environment.pk] = _Watcher(environment)
            watcher.start()
        watcher.listeners.append(listener)

    def leave() -> None:
        with _lock:
            with contextlib.suppress(ValueError):
                watcher.listeners.remove(listener)
            is_last = not watcher.listeners
            if is_last and _watchers.get(environment.pk) is watcher:
                del _watchers[environment.pk]
        # Closing a connection may take a while: nobody else waits for it.
        if is_last:
            watcher.stop()

    return leave


@contextlib.contextmanager
def borrow_host(environment: Environment) -> Iterator[Host]:
    """The watcher's open connection where there is one, or else a new one. Raises as `open_host`."""
    with _lock:
        watcher = _watchers.get(environment.pk)
    host = watcher.host if watcher is not None else None
    if host is not None and host.transport.is_active():
        yield host
        return
    with open_host(environment.server) as opened:
        yield opened


class _Watcher(threading.Thread):
    """Follows one container's log; when that ends (a deployment replaces the container) it looks for it again."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(name=f"log-watch-{environment.pk}", daemon=True)
        self.endpoint = endpoint_of(environment.server)
        self.container = environment.container_name("odoo")
        self.listeners: list[Listener] = []
        self.host: Host | None = None
        self._stopping = threading.Event()

    @property
    def is_over(self) -> bool:
        """True when nobody looked any more."""
        return self._stopping.is_set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except (Problem, RetryableError, docker.errors.DockerException, OSError) as error:
                logger.info("log_watch_interrupted", container=self.container, reason=type(error).__name__)
            except Exception:
                if not self._stopping.is_set():  # closing the connection from outside may end in any way
                    logger.exception("log_watch_failed", container=self.container)
            self._stopping.wait(AGAIN_SECONDS)
        self._close()

    def stop(self) -> None:
        """Ends the thread: its connection is closed under it."""
        self._stopping.set()
        self._close()

    def _follow(self) -> None:
        if self.host is None or not self.host.transport.is_active():
            self._close()
            self.host = Host(self.endpoint)
        self._tell()
        stream = self.host.docker.api.logs(self.container, stdout=True, stderr=True, stream=True, follow=True, tail=0)
        try:
            for _ in stream:
                self._tell()
                # One announcement for a burst.
                time.sleep(SHORTEST_PAUSE)
        finally:
            stream.close()

    def _tell(self) -> None:
        with _lock:
            listeners = list(self.listeners)
        for listener in listeners:
            listener()

    def _close(self) -> None:
        host, self.host = self.host, None
        if host is not None:
            host.close()
