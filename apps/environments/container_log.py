"""What a container has written so far, from the engine's own stream: docker-py joins all of it, however long it is.

The stream: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
"""

from __future__ import annotations

import struct
import time
from typing import Any, NamedTuple

from apps.servers.host import Host

LARGEST_LOG = 24 * 2**20
SECONDS = 30
_PIECE = 2**16
_HEADER = struct.Struct(">BxxxL")


class ContainerLog(NamedTuple):
    """What was read; `is_whole` where nothing was left behind it."""

    content: bytes
    is_whole: bool


def read_log(host: Host, container: str, *, largest: int = LARGEST_LOG, **limits: Any) -> ContainerLog:
    """Both outputs of a container without a terminal, each line behind its time; `limits` as Docker takes them (`tail`,
    `since`). After `largest` bytes or SECONDS it ends with the last whole line: the rest is there for the next call.

    Raises `docker.errors.NotFound` where there is no such container.
    """
    api = host.docker.api
    wanted = {"stdout": 1, "stderr": 1, "timestamps": 1} | limits
    with api._get(api._url("/containers/{0}/logs", container), params=wanted, stream=True) as answer:
        api._raise_for_status(answer)
        raw, is_whole = _read_until(answer.raw, largest, time.monotonic() + SECONDS)
    text = _without_headers(raw)
    return ContainerLog(text if is_whole else text[: text.rfind(b"\n") + 1], is_whole)


def _read_until(stream: Any, largest: int, deadline: float) -> tuple[bytearray, bool]:
    found = bytearray()
    while piece := stream.read1(_PIECE):
        found += piece
        if len(found) >= largest or time.monotonic() > deadline:
            return found, False
    return found, True


def _without_headers(raw: bytearray) -> bytes:
    """The contents of all frames; of the last one what has come."""
    parts, at = [], 0
    while at + _HEADER.size <= len(raw):
        _, size = _HEADER.unpack_from(raw, at)
        at += _HEADER.size
        parts.append(raw[at : at + size])
        at += size
    return b"".join(parts)
