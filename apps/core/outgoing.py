"""The guard for every address that a user gives and the platform calls.

The check is repeated at each use, and the caller connects to an address that was checked: a name that resolves to
something else a moment later gains nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.retry import Retry

from apps.core.exceptions import Problem

# Shared address space (RFC 6598), protocol assignments (RFC 6890; a cloud's metadata), benchmark (RFC 2544),
# a cloud's own services behind an address that looks public, NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056): `is_global`
# alone differs between Python releases, and the mapped forms hide an IPv4 address.
_NEVER_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "168.63.129.16/32"),
        *("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fec0::/10"),
    )
]

# The settings that name the private networks which may be called: for servers, Git and registries; and, apart from
# them, for what a tenant lets the platform call when something happens.
DEFAULT_NETWORKS = "ALLOWED_PRIVATE_NETWORKS"
WEBHOOK_NETWORKS = "WEBHOOK_PRIVATE_NETWORKS"


def is_allowed(address: str, networks: str = DEFAULT_NETWORKS) -> bool:
    """True for public addresses and for those in the private networks that the setting `networks` names."""
    parsed = ipaddress.ip_address(address.split("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    allowed = map(ipaddress.ip_network, getattr(settings, networks))
    if any(parsed in network for network in allowed if network.version == parsed.version):
        return True
    hidden = any(parsed in network for network in _NEVER_PUBLIC if network.version == parsed.version)
    return parsed.is_global and not parsed.is_multicast and not hidden


def check_address(host: str, port: int, networks: str = DEFAULT_NETWORKS) -> list[str]:
    """Resolves `host` and returns its addresses, all of them allowed.

    Raises Problem `core.address_unknown` or `core.address_not_allowed`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Problem("core.address_unknown", host=host) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_allowed(address, networks):
            reason = f"{address} is a private or reserved address."
            raise Problem("core.address_not_allowed", host=host, reason=reason, setting=networks)
    return addresses


def check_url(url: str, *, schemes: tuple[str, ...] = ("https",), networks: str = DEFAULT_NETWORKS) -> list[str]:
    """The same for a URL, whose scheme must be among `schemes`."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443, "ssh": 22}.get(parts.scheme, 0)
    except ValueError as error:
        raise Problem("core.address_not_allowed", host=url, reason="It is not a URL.", setting=networks) from error
    if parts.scheme not in schemes or not parts.hostname:
        raise _not_a_scheme(parts.hostname or url, schemes, networks)
    return check_address(parts.hostname, port, networks)


def _not_a_scheme(host: str, schemes: tuple[str, ...], networks: str = DEFAULT_NETWORKS) -> Problem:
    reason = f"It must start with {' or '.join(f'{scheme}://' for scheme in schemes)}."
    return Problem("core.address_not_allowed", host=host, reason=reason, setting=networks)


# HTTP: everything below. A name is resolved, checked and connected to in one step, each time a connection is opened.

LARGEST_ANSWER = 2**20
SECONDS_TO_CONNECT = 10
SECONDS_TO_ANSWER = 30
# Of a name with hundreds of addresses: how many are tried, and for how long together (times the time for one).
MOST_ADDRESSES = 8
TIMES_TO_CONNECT = 3
_CHUNK = 2**16


class AnswerTooLarge(requests.RequestException):
    """The other side sent more than was allowed for; nothing of it was kept."""


def session(
    *,
    schemes: tuple[str, ...] = ("https",),
    largest: int = LARGEST_ANSWER,
    seconds: float = SECONDS_TO_ANSWER,
    retries: Retry | None = None,
    context: ssl.SSLContext | None = None,
    networks: str = DEFAULT_NETWORKS,
) -> requests.Session:
    """A session for addresses that somebody gave us: an ordinary `requests.Session`, but

    - each connection goes to an address that was checked when it was opened (the name stays what TLS and the other
      side see), so a name that changes its address between a check and a request gains nothing; all its addresses
      are checked, at most MOST_ADDRESSES are tried, together for TIMES_TO_CONNECT times the time for one;
    - only `schemes`; no redirect is followed: the 3xx answer is the answer; nothing is taken from the environment
      (no proxies, no .netrc, no certificates besides the usual ones or `context`);
    - `seconds` for the connection's silence, for the head of the answer and for its whole body; `largest` bytes of
      body, asked for and taken uncompressed. An answer asked for with `stream=True` is not read: see `read_limited`.

    A request raises Problem `core.address_not_allowed` or `core.address_unknown`; AnswerTooLarge; and, as ever,
    `requests.RequestException`.
    """
    return _Session(schemes, largest, seconds, _CheckingAdapter(retries or Retry(0, read=False), context, networks))


def read_limited(
    answer: requests.Response, *, largest: int = LARGEST_ANSWER, seconds: float = SECONDS_TO_ANSWER
) -> bytes:
    """The body of an answer that was asked for with `stream=True`: at most `largest` bytes within `seconds`.

    Raises AnswerTooLarge, `requests.ReadTimeout` or another `requests.RequestException`; the connection is closed then.
    """
    too_late = requests.ReadTimeout(f"The answer took longer than {seconds:g} seconds.", response=answer)
    body = bytearray()
    # The lines between chunks and the trailers are read whole, however slowly their bytes come: the watch ends that.
    with _shut_after(seconds, answer.raw.connected) as over:
        try:
            while chunk := answer.raw.read1(_CHUNK, decode_content=False):
                body += chunk
                if len(body) > largest:
                    raise AnswerTooLarge(f"The answer is larger than {largest} bytes.", response=answer)
        except requests.RequestException:  # which are OSErrors
            raise
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.ReadTimeout(error, response=answer) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise (too_late if over.is_set() else requests.ConnectionError(error, response=answer)) from error
        finally:
            answer.close()
    if over.is_set():  # what was cut off may look like an end
        raise too_late
    return bytes(body)


class _Session(requests.Session):
    def __init__(self, schemes: tuple[str, ...], largest: int, seconds: float, adapter: HTTPAdapter) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"
        self.schemes, self.largest, self.seconds = schemes, largest, seconds
        self.adapters.clear()
        for scheme in schemes:
            self.mount(f"{scheme}://", adapter)

    def get_adapter(self, url: str) -> HTTPAdapter:
        """The guarded adapter; Problem `core.address_not_allowed` for any other scheme."""
        if urlsplit(url).scheme.lower() not in self.schemes:
            raise _not_a_scheme(urlsplit(url).hostname or url, self.schemes)
        return super().get_adapter(url)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """No redirect is followed, whatever the caller of `requests` usually gets."""
        return

    def send(self, request: requests.PreparedRequest, **arguments: Any) -> requests.Response:
        """One request, one answer, its body read within the limits unless the caller asked for a stream."""
        wanted_as_stream = arguments.pop("stream", False)
        if arguments.get("timeout") is None:
            arguments["timeout"] = (SECONDS_TO_CONNECT, self.seconds)
        answer = super().send(request, stream=True, **arguments)
        if not wanted_as_stream:
            body = read_limited(answer, largest=self.largest, seconds=self.seconds)
            answer._content, answer._content_consumed = body, True
        return answer


class _CheckingAdapter(HTTPAdapter):
    def __init__(self, retries: Retry, context: ssl.SSLContext | None, networks: str) -> None:
        self._context, self._networks = context, networks
        super().__init__(max_retries=retries)

    def init_poolmanager(self, *args: Any, **arguments: Any) -> None:
        if self._context is not None:
            arguments["ssl_context"] = self._context
        super().init_poolmanager(*args, **arguments)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(urllib3.HTTPConnectionPool, _PlainConnection, self._networks),
            "https": _pool(urllib3.HTTPSConnectionPool, _TlsConnection, self._networks),
        }


class _CheckedConnection:
    """For connections of urllib3: the only place where a name becomes an address."""

    host: str
    port: int
    timeout: Any
    sock: socket.socket
    networks = DEFAULT_NETWORKS

    def _new_conn(self) -> socket.socket:
        last: OSError | None = None
        seconds = self.timeout if isinstance(self.timeout, int | float) else SECONDS_TO_CONNECT
        deadline = time.monotonic() + TIMES_TO_CONNECT * seconds
        for address in check_address(self.host.strip("[]"), self.port, self.networks)[:MOST_ADDRESSES]:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                connected = socket.create_connection((address, self.port), min(seconds, left))
            except OSError as error:
                last = error
                continue
            connected.settimeout(seconds)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
        words = f"No connection to {self.host}: {last}"
        if isinstance(last, TimeoutError):
            raise urllib3.exceptions.ConnectTimeoutError(self, words) from last  # type: ignore[arg-type]
        raise urllib3.exceptions.NewConnectionError(self, words) from last  # type: ignore[arg-type]

    def getresponse(self) -> Any:
        """The head of the answer, within the time for one silence: one that comes byte by byte is cut off."""
        connected = self.sock
        seconds = self.timeout if isinstance(self.timeout, int | float) else SECONDS_TO_ANSWER
        with _shut_after(seconds, connected) as over:
            try:
                answer = super().getresponse()  # type: ignore[misc]
            finally:
                if over.is_set():
                    raise TimeoutError("The head of the answer did not come in time.")
        answer.connected = connected  # for the watch over its body
        return answer


@contextlib.contextmanager
def _shut_after(seconds: float, connected: socket.socket) -> Iterator[threading.Event]:
    """Shuts the connection unless the block ends in time; the event says that it did."""
    over = threading.Event()
    watch = threading.Timer(seconds, _shut, (connected, over))
    watch.daemon = True
    watch.start()
    try:
        yield over
    finally:
        watch.cancel()
        watch.join()  # so that it never shuts what another request goes on with


def _shut(connected: socket.socket, over: threading.Event) -> None:
    over.set()
    # The class's own method: the one of a TLS socket would pull its state away from under the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _PlainConnection(_CheckedConnection, HTTPConnection):
    pass


class _TlsConnection(_CheckedConnection, HTTPSConnection):
    pass


def _pool(pool: type, connection: type, networks: str) -> type:
    """urllib3 makes connections by itself, of a class: what they have to know stands there."""
    return type(
        pool.__name__, (pool,), {"ConnectionCls": type(connection.__name__, (connection,), {"networks": networks})}
    )
