"""Images on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import docker.errors
from docker.utils import parse_repository_tag

from apps.core.exceptions import Problem

if TYPE_CHECKING:
    from apps.operations.run import Run
    from apps.servers.host.host import Host

# No image has more; a stranger's engine may name as many as it likes.
_MOST_LAYERS = 1000
_LONGEST_REASON = 2000


def find_image(host: Host, reference: str) -> str | None:
    """The id of the image that is on the server under this name."""
    try:
        return host.docker.api.inspect_image(reference)["Id"]
    except docker.errors.ImageNotFound:
        return None


def ensure_image(
    host: Host, run: Run, reference: str, *, credentials: dict[str, str] | None = None, refresh: bool = False
) -> str:
    """Pulls an image unless it is there (with `refresh` in any case) and returns its id. `credentials` (`username`,
    `password`) travel in the API's header and are not stored on the server. Raises Problem `servers.image_missing`."""
    found = None if refresh else find_image(host, reference)
    if found:
        return found
    run.info(f"Pulling {reference}.")
    repository, tag = parse_repository_tag(reference)
    try:
        events = host.docker.api.pull(repository, tag or "latest", stream=True, decode=True, auth_config=credentials)
        with run.on_stop(events.close):
            _follow(run, reference, events)
    except docker.errors.APIError as error:
        raise Problem("servers.image_missing", image=reference, reason=error.explanation or error) from error
    found = find_image(host, reference)
    if found is None:
        raise Problem("servers.image_missing", image=reference, reason="The pull ended without it.")
    return found


def _follow(run: Run, reference: str, events) -> None:
    layers: dict[str, bool] = {}
    for event in events:
        run.check()
        if "error" in event:
            raise Problem("servers.image_missing", image=reference, reason=str(event["error"])[:_LONGEST_REASON])
        layer, status = event.get("id"), event.get("status", "")
        if layer and len(layers) < _MOST_LAYERS and status in ("Pulling fs layer", "Already exists", "Pull complete"):
            layers[layer] = status != "Pulling fs layer"
            run.progress(sum(layers.values()), len(layers), "layers")
    run.check()
