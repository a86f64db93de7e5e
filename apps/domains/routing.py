"""Routes on a server: written aside and renamed, the last good one kept, seen through the proxy before it counts.

One broken file makes the proxy refuse all later changes, so what it does not take is put back at once.
"""

from __future__ import annotations

import functools
import hashlib
import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from django.template.loader import render_to_string

from apps.core.exceptions import Problem
from apps.domains import routes
from apps.domains.probing import ProbeResult, probe
from apps.domains.progress import Progress, quiet
from apps.domains.routes import RouteSpecification
from apps.operations.exceptions import Cancelled, DeadlineExceeded
from apps.servers import paths
from apps.servers.host import Host
from apps.servers.models import Server

# The proxy reloads within a tenth of a second; a busy server gets more.
SECONDS_TO_RELOAD = 15.0
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class AppliedRoute:
    """A route that the proxy was seen to use. `changed` is False where it was in place already."""

    mark: str
    changed: bool
    seconds: float


def route_path(environment_id: str | UUID) -> PurePosixPath:
    """The file of an environment's route on its server."""
    return paths.routes_directory() / f"route-{environment_id}.yml"


def last_good_path(environment_id: str | UUID) -> PurePosixPath:
    """Where the route from before is kept, outside the folder that the proxy watches."""
    return paths.proxy_directory() / "last-good" / f"route-{environment_id}.yml"


def apply_route(
    host: Host,
    specification: RouteSpecification,
    *,
    server: Server,
    run: Progress = quiet,
    timeout: float = SECONDS_TO_RELOAD,
) -> AppliedRoute:
    """Makes the proxy use this route, and returns once it was seen to. Doing it again changes nothing.

    Requests under way are not cut: the proxy swaps its routes between requests. Raises Problem
    `domains.route_broken` after putting back the route from before (or none) when the proxy does not take it.
    """
    started = time.monotonic()
    ensure_shared(host)
    text = routes.render_route(specification)
    path, last_good = route_path(specification.environment_id), last_good_path(specification.environment_id)
    before = _read(host, path)
    changed = before != text
    if changed and before is not None:
        host.files.write(last_good, before, mode=0o644)
    # After a crash the new text lies there already, and what was good before it was kept.
    good = before if changed else _read(host, last_good)
    if changed:
        host.files.write(path, text, mode=0o644)
    mark = routes.mark_of(text)
    try:
        seen = wait_for_mark(server, specification.host_names[0], mark, run=run, timeout=timeout)
    except (Cancelled, DeadlineExceeded):
        _put_back(host, path, good)
        raise
    if seen is not None:
        # A route that was good and did not change is not to blame for a proxy that does not answer.
        if changed or seen.status is not None:
            _put_back(host, path, good)
        raise _broken(server, specification.host_names[0], seen)
    return AppliedRoute(mark, changed, time.monotonic() - started)


def roll_back_route(
    host: Host, environment_id: str | UUID, host_name: str, *, server: Server, run: Progress = quiet
) -> bool:
    """Puts the route from before the last change back and waits until the proxy uses it. False where none is kept.

    Raises Problem `domains.route_broken`.
    """
    text = _read(host, last_good_path(environment_id))
    if text is None:
        return False
    host.files.write(route_path(environment_id), text, mode=0o644)
    seen = wait_for_mark(server, host_name, routes.mark_of(text), run=run)
    if seen is not None:
        raise _broken(server, host_name, seen)
    return True


def remove_route(host: Host, environment_id: str | UUID) -> None:
    """Visitors of the name get the proxy's 404 from now on. Harmless where there is none."""
    host.files.remove(route_path(environment_id))
    host.files.remove(last_good_path(environment_id))


def ensure_shared(host: Host) -> None:
    """The folders, and the files that all routes refer to. Where everything is in place one file is read."""
    pages, text = _shared_files()
    shared = paths.routes_directory() / "shared.yml"
    if _read(host, shared) == text:
        return
    for directory, mode in (
        (paths.routes_directory(), 0o755),
        (paths.challenges_directory(), 0o755),
        (paths.certificates_directory(), 0o700),
        (paths.proxy_directory() / "last-good", 0o755),
    ):
        host.files.make_directory(directory, mode)
    for name, page in pages.items():
        host.files.write(paths.challenges_directory() / name, page, mode=0o644)
    host.files.write(shared, text, mode=0o644)


@functools.cache
def _shared_files() -> tuple[dict[str, str], str]:
    """The friendly pages, and the file that is written after them and names their digest."""
    pages = {
        routes.page_name(page): render_to_string("domains/closed.html", {"page": str(page)}) for page in routes.PAGES
    }
    digest = hashlib.sha256("".join(pages.values()).encode()).hexdigest()[:16]
    return pages, f"{routes.render_shared()}# The pages beside it: {digest}\n"


def wait_for_mark(
    server: Server, host_name: str, mark: str, *, run: Progress = quiet, timeout: float = SECONDS_TO_RELOAD
) -> ProbeResult | None:
    """Looks until the proxy answers with the mark: None. After `timeout` seconds: the last answer."""
    deadline = time.monotonic() + timeout
    while True:
        result = probe(server, host_name, routes.MARK_PATH, timeout=2.0)
        if result.headers.get(routes.MARK_HEADER.lower()) == mark:
            return None
        if time.monotonic() > deadline:
            return result
        run.check()
        run.sleep(SECONDS_BETWEEN_LOOKS)


def _broken(server: Server, host_name: str, seen: ProbeResult) -> Problem:
    words = seen.error or f"it still answers with the old one or none (HTTP {seen.status})."
    ports = f"{server.http_port} and {server.https_port}"
    return Problem("domains.route_broken", server=server, name=host_name, words=words, ports=ports)


def _put_back(host: Host, path: PurePosixPath, text: str | None) -> None:
    if text is None:
        host.files.remove(path)
    else:
        host.files.write(path, text, mode=0o644)


def _read(host: Host, path: PurePosixPath) -> str | None:
    try:
        return host.files.read(path).decode()
    except Problem as problem:
        if problem.code == "servers.file_not_found":
            return None
        raise
