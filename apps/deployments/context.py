"""What the sixteen steps share: the rows, the open host, and what was begun early.

Nothing here has to survive a crash. What does is in `run.data` (intent, before acting outside), in the release, or on
the host; a worker that goes on builds a new context from those.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any

from django.conf import settings

from apps.core.exceptions import RetryableError
from apps.deployments.images import FoundImage, PullProgress, ensure_image
from apps.deployments.models import Deployment, ImageFacts, Release
from apps.environments.models import Environment
from apps.environments.render import AddonsFolder, EnvironmentSpecification, specification_of
from apps.environments.runtime import in_slot
from apps.environments.sources import PLATFORM
from apps.operations.run import Run
from apps.platform.current import postgres_image
from apps.servers.host import Host, open_host

# One for each container of an environment, and one for what takes long elsewhere. The connection has few channels.
EARLY_THREADS = 4
IMAGE_USERS = {"odoo": "odoo", "postgres": "postgres", "pgbouncer": "postgres"}


class DeployContext:
    """One worker's hold on one deployment."""

    def __init__(self, run: Run, host: Host, deployment: Deployment) -> None:
        self.run = run
        self.host = host
        self.deployment = deployment
        self.environment: Environment = deployment.environment
        self.stopped = threading.Event()
        self.pulls = {part: PullProgress() for part in IMAGE_USERS}
        self._images: dict[str, FoundImage] = {}
        self._early: dict[str, Future[Any]] = {}
        self._threads = ThreadPoolExecutor(EARLY_THREADS, thread_name_prefix="deploy")
        self._known_images = {
            facts.image_id: (facts.uid, facts.gid, facts.addons_path)
            for facts in ImageFacts.objects.filter(server=self.environment.server_id)
        }
        run.add_secrets(self.base_specification.secrets)
        run.add_secrets([self.environment.admin_password, *self._sensitive_values()])

    # Rows.

    @cached_property
    def release(self) -> Release:
        """The release that this deployment makes, or applies once more. See `releases.begin`."""
        from apps.deployments.releases import begin

        return begin(self.deployment, reuse=self.run.parameters.get("release_id"))

    @cached_property
    def base_specification(self) -> EnvironmentSpecification:
        """The environment as it is stored, without what its release adds."""
        return specification_of(self.environment)

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The repositories of the release so far, highest priority first."""
        return self.release.sources

    # Work that was begun early.

    def begin_early(self, name: str, function: Callable[[], Any]) -> None:
        """Starts something that a later step needs. It must not touch the database, and its failure is told by the
        step that waits for it."""
        if name not in self._early:
            self._early[name] = self._threads.submit(function)

    def wait_for(self, name: str, function: Callable[[], Any]) -> Any:
        """What was begun early under this name, or done now where nothing was: the same function either way."""
        self.begin_early(name, function)
        self.let_end(name)
        future = self._early[name]
        try:
            return future.result()
        except RetryableError:
            # The machine tries the step again, with a new connection.
            del self._early[name]
            raise

    def let_end(self, name: str) -> None:
        """Waits until what was begun early is over, well or not: only `wait_for` tells how."""
        future = self._early.get(name)
        while future is not None and not future.done():
            self.run.check()
            with contextlib.suppress(TimeoutError):
                future.exception(timeout=0.1)

    def has_begun(self, name: str) -> bool:
        """True when this was begun early."""
        return name in self._early

    def is_done(self, name: str) -> bool:
        """True when something that was begun early has ended well."""
        future = self._early.get(name)
        return future is not None and future.done() and future.exception() is None

    def has_failed(self, name: str) -> bool:
        """True when something that was begun early has failed: waiting for it raises why."""
        future = self._early.get(name)
        return future is not None and future.done() and future.exception() is not None

    # Images.

    def image_reference(self, part: str) -> str:
        """Which image a part is made of."""
        project = self.environment.project
        if part == "postgres":
            return postgres_image(project.odoo_version)
        if part == "pgbouncer":
            return settings.PGBOUNCER_IMAGE
        pinned = self.release.image_digest if self.run.parameters.get("release_id") else ""
        return pinned or self.release.image

    def begin_image(self, part: str) -> None:
        """Starts bringing an image to the server."""
        self.begin_early(f"image_{part}", self._ensure_image(part))

    def image(self, part: str) -> FoundImage:
        """The image of a part, waited for, with its facts kept for next time."""
        if part not in self._images:
            found: FoundImage = self.wait_for(f"image_{part}", self._ensure_image(part))
            if found.image_id not in self._known_images:
                values = {"uid": found.uid, "gid": found.gid, "addons_path": list(found.addons_path)}
                named = {"server": self.environment.server, "image_id": found.image_id}
                ImageFacts.objects.get_or_create(**named, defaults=values)
            self._images[part] = found
        return self._images[part]

    def image_is_here(self, part: str) -> bool:
        """True when the image need not be waited for."""
        return part in self._images or self.is_done(f"image_{part}")

    def _ensure_image(self, part: str) -> Callable[[], FoundImage]:
        project = self.environment.project
        reference = self.image_reference(part)
        is_custom = part == "odoo" and bool(project.image)
        account = project.registry_account if is_custom else None
        # A tag of the customer's own moves with every build; the official ones move on request.
        refresh = part == "odoo" and "@" not in reference and (is_custom or self.run.parameters.get("refresh_image"))
        if account is not None:
            self.run.add_secrets([account.password])
        return lambda: ensure_image(
            self.host,
            reference,
            known=self._known_images,
            user=IMAGE_USERS[part],
            account=account,
            refresh=bool(refresh),
            progress=self.pulls[part],
            stopped=self.stopped,
        )

    # The specification.

    def specification(self, *parts: str) -> EnvironmentSpecification:
        """The environment with the images of the named parts (`postgres`, `pgbouncer`, `odoo`), and for `odoo` with its
        sources and in the slot that this deployment fills."""
        images = {part: self.image(part).for_container for part in parts}
        specification = self.base_specification.with_release(**images)
        if "odoo" not in parts:
            return specification
        from apps.deployments.login import PLATFORM_ADDONS_FOLDER

        specification = specification.with_release(addons=self.addons(), platform_addons=str(PLATFORM_ADDONS_FOLDER))
        slot = self.run.data["slot"]
        return in_slot(specification, slot["name"], slot["address"])

    def addons(self) -> tuple[AddonsFolder, ...]:
        """The folders of source, in the order of addons_path; a repository without modules is left out."""
        return tuple(
            AddonsFolder(source["folder"], mount_name(source), tuple(source["directories"]))
            for source in self.sources
            if source.get("directories")
        )

    def close(self) -> None:
        """Tells the threads to stop, and does not wait for them: their connection is about to be closed."""
        self.stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _sensitive_values(self) -> list[str]:
        return [variable.value for variable in self.environment.variables.all() if variable.sensitive]


def mount_name(source: dict[str, Any]) -> str:
    """The name of a repository inside the container. Short names are unique within their tier alone, and none has an
    underscore in it."""
    return f"{PLATFORM}_{source['slug']}" if source["kind"] == PLATFORM else source["slug"]


@contextlib.contextmanager
def open_deployment(run: Run) -> Iterator[DeployContext]:
    """Opens the server's connection and loads what the steps need."""
    deployment = Deployment.objects.select_related(
        "environment__project__organization",
        "environment__project__registry_account",
        "environment__server__ssh_key",
        "release",
        "triggered_by",
    ).get(operation_id=run.operation.pk)
    with open_host(deployment.environment.server) as host:
        context = DeployContext(run, host, deployment)
        try:
            yield context
        finally:
            context.close()
