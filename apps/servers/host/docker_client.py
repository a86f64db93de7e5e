"""docker-py over the one SSH connection.

The library's own `ssh://` reads the system's known hosts, keys its pools by the whole URL and leaves upgraded streams
open, so that the eighth `exec` fails on a server with MaxSessions 10. Here four channels serve plain calls, at most
four more serve streams, and each stream is closed when it was read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import docker
import docker.auth
import docker.constants
import docker.errors
import docker.utils
import requests
import urllib3
import urllib3.connection
import urllib3.connectionpool
from docker.transport.basehttpadapter import BaseHTTPAdapter
from docker.utils.proxy import ProxyConfig
from docker.utils.socket import demux_adaptor

from apps.core.exceptions import Problem
from apps.servers.host import docker_answers
from apps.servers.host.channel_socket import ChannelSocket
from apps.servers.host.exceptions import ConnectionLost

CALLS = 4
STREAMS = 4
CALL_SECONDS = 60
# How long a call waits for one of the channels.
WAIT_SECONDS = 120
OLDEST_ENGINE, OLDEST_API = "20.10", "1.41"
NEWEST_API = docker.constants.DEFAULT_DOCKER_API_VERSION

OpenChannel = Callable[[Callable[[], None]], ChannelSocket]


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, open_channel: Callable[[], ChannelSocket]) -> None:
        super().__init__("localhost", timeout=CALL_SECONDS)
        self._open_channel = open_channel

    def connect(self) -> None:
        self.sock = self._open_channel()
        self.sock.settimeout(self.timeout)

    @property
    def is_connected(self) -> bool:
        return self.sock is not None and self.sock.is_usable


class _CallPool(urllib3.connectionpool.HTTPConnectionPool):
    """A few channels kept open; a call beyond them waits for its turn."""

    def __init__(self, open_channel: OpenChannel) -> None:
        super().__init__("localhost", timeout=CALL_SECONDS, maxsize=CALLS, block=True)
        self._open_channel = open_channel

    def _new_conn(self) -> _Connection:
        return _Connection(lambda: self._open_channel(lambda: None))

    def _get_conn(self, timeout: float | None = None) -> _Connection:
        return super()._get_conn(timeout=timeout or WAIT_SECONDS)


class _StreamPool(urllib3.connectionpool.HTTPConnectionPool):
    """A channel per stream, closed after it; a stream beyond the limit waits for its turn."""

    def __init__(self, open_channel: OpenChannel) -> None:
        super().__init__("localhost", timeout=CALL_SECONDS, maxsize=1, block=False)
        self._open_channel = open_channel
        self._free = threading.BoundedSemaphore(STREAMS)

    def _new_conn(self) -> _Connection:
        return _Connection(self._open)

    def _get_conn(self, timeout: float | None = None) -> _Connection:
        return self._new_conn()

    def _put_conn(self, conn: _Connection | None) -> None:
        if conn:
            conn.close()

    def _open(self) -> ChannelSocket:
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise RuntimeError(f"{STREAMS} streams of this connection were left open.")
        try:
            return self._open_channel(self._free.release)
        except BaseException:
            self._free.release()
            raise


class Adapter(BaseHTTPAdapter):
    """Sends the requests of docker-py through channels. Failures of the way come out as ConnectionLost."""

    def __init__(self, open_channel: OpenChannel, address: str) -> None:
        super().__init__()
        self.address = address
        self._calls = _CallPool(open_channel)
        self._streams = _StreamPool(open_channel)

    def send(self, request: requests.PreparedRequest, stream: bool = False, **options: Any) -> requests.Response:
        request.wants_stream = stream
        try:
            response = super().send(request, stream=stream, **options)
            if not stream:
                self._read(response)
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise ConnectionLost("servers.docker_silent", address=self.address) from error
        except (requests.exceptions.ConnectionError, urllib3.exceptions.HTTPError) as error:
            raise ConnectionLost("servers.connection_lost", address=self.address, reason="Docker hung up") from error
        return response

    @staticmethod
    def _read(response: requests.Response) -> None:
        """Reads the body here, where there is a limit: the library would take whatever comes."""
        try:
            response._content = docker_answers.joined(docker_answers.pieces(response))
        except BaseException:
            response.close()
            raise
        response._content_consumed = True

    def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
        return self._streams if request.wants_stream else self._calls

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return request.path_url

    def close(self) -> None:
        super().close()
        self._calls.close()
        self._streams.close()


class HijackedStream:
    """Both directions of an upgraded connection (a terminal). Reads first what came together with the answer."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._reader = response.raw._fp.fp
        self._socket: ChannelSocket = self._reader.raw._sock

    def recv(self, size: int) -> bytes:
        return self._reader.read1(size)

    read = recv

    def sendall(self, data: bytes) -> None:
        self._socket.sendall(data)

    def settimeout(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    def gettimeout(self) -> float | None:
        return self._socket.gettimeout()

    def shutdown_write(self) -> None:
        self._socket.channel.shutdown_write()

    def close(self) -> None:
        # The answer flushes its reader when it is closed: it goes first.
        self._response.close()
        self._reader.close()
        self._socket.close()


class APIClient(docker.APIClient):
    """docker-py's client with our adapter. It reads no configuration of this machine: credentials of the control
    plane's own user must never travel to a customer's server."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__(base_url="tcp://localhost:1", version=OLDEST_API, timeout=CALL_SECONDS)
        self.trust_env = False
        self._general_configs = {}
        self._auth_configs = docker.auth.AuthConfig({})
        self._proxy_configs = ProxyConfig()
        self._custom_adapter = adapter
        self._unmount("http://", "https://")
        self.mount("http+docker://", adapter)
        self.base_url = "http+docker://localhost"

    def negotiate(self) -> None:
        """Settles the version of the API once. Raises Problem `servers.docker_too_old`."""
        answer = self.version(api_version=False)
        if docker.utils.version_lt(answer["ApiVersion"], OLDEST_API):
            raise Problem("servers.docker_too_old", version=answer.get("Version", "?"), oldest=OLDEST_ENGINE)
        newer = docker.utils.version_lt(NEWEST_API, answer["ApiVersion"])
        self._version = NEWEST_API if newer else answer["ApiVersion"]

    def _get_raw_response_socket(self, response: requests.Response) -> HijackedStream:
        self._raise_for_status(response)
        return HijackedStream(response)

    def _read_from_socket(self, response, stream, tty=True, demux=False):
        """Replaces the library's, which reads past the buffer (losing what came with the answer) and leaves the
        stream open."""
        self._raise_for_status(response)
        frames = self._frames(response, tty)
        chosen = (demux_adaptor(*frame) for frame in frames) if demux else (data for _, data in frames)
        if stream:
            return chosen
        return _joined_apart(chosen) if demux else docker_answers.joined(chosen)

    def _stream_helper(self, response: requests.Response, decode: bool = False) -> Iterator[Any]:
        """Replaces the library's, which reads a piece of whatever length the engine announces."""
        return docker_answers.events(response) if decode else docker_answers.pieces(response)

    def _multiplexed_response_stream_helper(self, response: requests.Response) -> Iterator[bytes]:
        """Replaces the library's, as above."""
        self._disable_socket_timeout(self._get_raw_response_socket(response))
        yield from (data for _, data in docker_answers.frames(response.raw))

    def _stream_raw_result(self, response: requests.Response, chunk_size: int = 1, decode: bool = True):
        """Replaces the library's, as above; pieces come as they arrive, whatever size was asked for."""
        self._raise_for_status(response)
        self._disable_socket_timeout(self._get_raw_response_socket(response))
        yield from docker_answers.pieces(response)

    @staticmethod
    def _frames(response: requests.Response, tty: bool) -> Iterator[tuple[int, bytes]]:
        hijacked = HijackedStream(response)
        hijacked.settimeout(None)
        reader = hijacked._reader
        try:
            if tty:
                while data := reader.read1(32768):
                    yield 1, data
                return
            yield from docker_answers.frames(reader)
        finally:
            hijacked.close()


def _joined_apart(parts: Iterable[tuple[bytes | None, bytes | None]]) -> tuple[bytes | None, bytes | None]:
    """Both outputs of a command, each whole; None for one that said nothing. Raises Problem `servers.docker_talks`."""
    both: tuple[list[bytes], list[bytes]] = ([], [])
    room = docker_answers.LARGEST_ANSWER
    for pair in parts:
        for found, part in zip(both, pair, strict=True):
            found.append(part or b"")
            room -= len(part or b"")
        if room < 0:
            raise docker_answers.too_large(docker_answers.LARGEST_ANSWER)
    return b"".join(both[0]) or None, b"".join(both[1]) or None


class DockerClient(docker.DockerClient):
    """The usual object interface over `APIClient`."""

    def __init__(self, api: APIClient) -> None:
        self.api = api
