"""Reading what a Docker engine answers, in pieces and up to a limit: the library reads whatever length it is told."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import requests

from apps.core.exceptions import Problem

CHUNK = 64 * 1024
# An answer that is taken as a whole: everything about a thousand containers is a tenth of it.
LARGEST_ANSWER = 32 * 1024 * 1024
# The engine cuts lines of logs at 16 KB, and what a command prints at 32 KB.
LARGEST_FRAME = 1024 * 1024
# One event of a pull, as JSON.
LONGEST_EVENT = 1024 * 1024
_HEADER = struct.Struct(">BxxxL")


def too_large(limit: int) -> Problem:
    """What is raised beyond a limit, in bytes."""
    return Problem("servers.docker_talks", kilobytes=limit // 1024)


def pieces(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes, at most CHUNK at a time."""
    while piece := response.raw.read1(CHUNK, decode_content=True):
        yield piece


def joined(parts: Iterable[bytes], limit: int = LARGEST_ANSWER) -> bytes:
    """All parts as one. Raises Problem `servers.docker_talks` as soon as they are more than `limit` bytes."""
    whole = bytearray()
    for part in parts:
        whole += part
        if len(whole) > limit:
            raise too_large(limit)
    return bytes(whole)


def events(response: requests.Response) -> Iterator[dict[str, Any]]:
    """One JSON object per line (of a pull, a build). Raises Problem `servers.docker_talks` or
    `servers.docker_unreadable`."""
    rest = b""
    for piece in pieces(response):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (_event(line) for line in lines if line.strip())
        if len(rest) > LONGEST_EVENT:
            raise too_large(LONGEST_EVENT)
    if rest.strip():
        yield _event(rest)


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Problem("servers.docker_unreadable") from error
    if not isinstance(event, dict):
        raise Problem("servers.docker_unreadable")
    return event


def frames(reader: Any) -> Iterator[tuple[int, bytes]]:
    """The frames of both outputs, told apart by the number of the stream (1 and 2). A broken end is an end.
    Raises Problem `servers.docker_talks`."""
    while len(header := reader.read(_HEADER.size)) == _HEADER.size:
        kind, size = _HEADER.unpack(header)
        if size > LARGEST_FRAME:
            raise too_large(LARGEST_FRAME)
        if size:
            yield kind, reader.read(size)
