"""The platform's repositories in a deployment, and what happens where one of them cannot be had.

No customer can mend that, so it stops a deployment only where it has to. Where the environment runs a commit of the
repository, that commit goes on. Where nothing wanted is in it, as far as it was ever read, it is left out. Both are
warnings that say who can help; everything else is a failure that says so too.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from apps.core.exceptions import Problem
from apps.deployments.context import DeployContext
from apps.deployments.models import SourceSnapshot
from apps.deployments.modules import closure, wanted_modules
from apps.deployments.releases import latest_applied, store_source
from apps.deployments.sources import clone, modules_of, remember_commit, snapshot_of, snapshots_of, sources_of
from apps.environments.sources import Source

# What Git says, where the address leads, and a token that cannot be decrypted.
_OF_THE_REPOSITORY = ("projects.", "core.address", "core.secret_unreadable")
# Not the repository's fault: the same for every other one.
_OF_THE_PLATFORM = ("projects.git_disk_full",)


def clone_all(context: DeployContext) -> None:
    """Each repository of the platform is on the server, or it is settled that this deployment goes on without it.

    Raises Problem `deployments.platform_repository_failed`.
    """
    failed: list[tuple[int, Source, Exception]] = []
    for position, source in sources_of(context, primary=False):
        if not source.is_platform or str(source.repository.pk) in context.run.data.get("left_out", {}):
            continue
        try:
            clone(context, position, source)
        except (Problem, ValidationError) as error:
            if not _is_the_repositorys(error):
                raise
            failed.append((position, source, error))
    for position, source, error in failed:
        _settle(context, position, source, error)


def names_left_out(context: DeployContext) -> list[str]:
    """The repositories that this deployment goes on without."""
    return sorted(context.run.data.get("left_out", {}).values())


def _settle(context: DeployContext, position: int, source: Source, error: Exception) -> None:
    """What is decided is noted before it is done: a worker that goes on decides the same."""
    run, name, reason = context.run, source.repository.name, _words(error)
    key = str(source.repository.pk)
    stored = _chosen_before(context, key)
    if stored is not None:
        if snapshot_of(source, stored["commit"]) is None or not context.host.files.exists(stored["folder"]):
            raise _failure(name, reason, "The environment is made with it, and its files are not on the server.")
        remember_commit(context, source, stored["commit"])
        store_source(context.release, stored | {"position": position})
        run.warning(f"The platform's repository {name} cannot be used: {reason}")
        run.warning(f"The commit on the server, {stored['commit'][:12]}, goes on. Platform staff can mend it.")
        return
    needed = _needed(context, source)
    if needed:
        raise _failure(name, reason, f"What is wanted here is in it: {', '.join(needed)}.")
    run.remember(left_out=run.data.get("left_out", {}) | {key: name})
    run.warning(f"The platform's repository {name} cannot be used, and is left out: {reason}")
    run.warning("No module of it is known to be wanted here. Platform staff can mend it.")


def _chosen_before(context: DeployContext, key: str) -> dict[str, Any] | None:
    """What the release of this deployment holds of a repository already (one that is applied once more does), else what
    the release holds that runs."""
    running = latest_applied(context.environment)
    known = [*context.sources, *(running.sources if running else ())]
    return next((stored for stored in known if stored["repository_id"] == key), None)


def _needed(context: DeployContext, source: Source) -> list[str]:
    """Modules that the project wants and that only this repository has, as it was when it was read last."""
    known: SourceSnapshot | None = snapshots_of(source).order_by("-created_at").first()
    if known is None:
        return []
    here = modules_of(context)
    wanted = wanted_modules(context.environment.project.install_modules, here)
    return sorted(closure(wanted, known.modules | here) & (set(known.modules) - set(here)))


def _is_the_repositorys(error: Exception) -> bool:
    """Whether reading the repository failed; what the server or its connection say is another matter."""
    if not isinstance(error, Problem):
        return True
    return error.code.startswith(_OF_THE_REPOSITORY) and error.code not in _OF_THE_PLATFORM


def _words(error: Exception) -> str:
    return error.title if isinstance(error, Problem) else " ".join(getattr(error, "messages", [str(error)]))


def _failure(name: str, reason: str, why: str) -> Problem:
    return Problem("deployments.platform_repository_failed", name=name, reason=reason, why=why)
