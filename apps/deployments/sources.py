"""Source code of a release: resolved and fetched in the control plane, read once per commit, shipped by commit.

On the server it lies in the folder of the organization, or for a repository of the platform in the platform's: one
folder per repository and commit, owned by root and mounted read-only. Environments share it, and no credential ever
gets there. What happens where a repository of the platform cannot be had stands in `platform_sources.py`.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from apps.deployments.context import DeployContext
from apps.deployments.models import SourceSnapshot
from apps.deployments.releases import store_source
from apps.environments.sources import PLATFORM, Source, effective_sources
from apps.projects import git, manifests
from apps.projects.git_export import export
from apps.projects.git_sources import GitSource
from apps.projects.models import Repository
from apps.servers import paths


def sources_of(context: DeployContext, *, primary: bool) -> list[tuple[int, Source]]:
    """The environment's repositories with their place in the order: the primary one, or all others."""
    numbered = enumerate(effective_sources(context.environment))
    return [(number, one) for number, one in numbered if (one.kind == Repository.Kind.PRIMARY) is primary]


def clone(context: DeployContext, position: int, source: Source) -> None:
    """Brings one repository to the server and notes it in the release. The commit is fixed at the first attempt: a
    push in the middle changes the next deployment, not this one."""
    run, repository, remote = context.run, source.repository, source.git
    run.add_secrets(_secrets_of(remote))
    commit = _pinned(context, source) or git.resolve(remote, source.branch, run=run)
    # Whatever else happens, the same commit is used after a crash.
    remember_commit(context, source, commit)
    git.fetch(remote, run=run, commit=commit)
    snapshot = snapshot_of(source, commit)
    folder = folder_of(context.environment.project.organization_id, source, commit)
    is_shipped = context.host.files.exists(folder)
    if snapshot is None or not is_shipped:
        snapshot = _export_and_ship(context, source, commit, folder, ship=not is_shipped)
    subject = next((entry.subject for entry in git.log(remote, commit, limit=1)), "")
    store_source(
        context.release,
        {
            "position": position,
            "repository_id": str(repository.pk),
            "kind": source.kind,
            "name": repository.name,
            "slug": repository.slug,
            "url": repository.url,
            "branch": source.branch,
            "commit": commit,
            "subdirectory": source.subdirectory,
            "subject": subject[:200],
            "folder": str(folder),
            "directories": snapshot.directories,
        },
    )
    run.info(f"{repository.name}: {source.branch} is {commit[:12]} {subject}".rstrip())
    number = len(snapshot.modules)
    run.info(f"{number} module{'' if number == 1 else 's'}{'' if is_shipped else ', brought to the server'}")
    if not snapshot.modules:
        run.warning("There is no Odoo module in this repository, so it is left out of addons_path.")


def modules_of(context: DeployContext) -> dict[str, dict[str, Any]]:
    """All custom modules of the release by name, each from the repository of the highest priority that has it."""
    return modules_in(context.sources)


def modules_in(sources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same for the stored sources of any release."""
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        owner = "platform_repository_id" if source["kind"] == PLATFORM else "repository_id"
        key = {name: source[name] for name in ("commit", "subdirectory")} | {owner: source["repository_id"]}
        snapshot = SourceSnapshot.objects.filter(**key).first()
        for name, module in (snapshot.modules if snapshot else {}).items():
            found.setdefault(name, module | {"kind": source["kind"], "folder": source["folder"]})
    return found


def snapshots_of(source: Source) -> QuerySet[SourceSnapshot]:
    """What is known of all commits of a repository."""
    owner = "platform_repository" if source.is_platform else "repository"
    return SourceSnapshot.objects.filter(**{owner: source.repository})


def snapshot_of(source: Source, commit: str) -> SourceSnapshot | None:
    """What is known of a commit."""
    return snapshots_of(source).filter(commit=commit, subdirectory=source.subdirectory).first()


def folder_of(organization_id: Any, source: Source, commit: str) -> PurePosixPath:
    """Where a commit lies on the server. Another subdirectory of the same commit is other content."""
    if source.is_platform:
        return paths.platform_repository_directory(source.repository.slug) / commit
    folder = source.subdirectory
    suffix = f"-{hashlib.sha256(folder.encode()).hexdigest()[:8]}" if folder else ""
    return paths.organization_directory(organization_id) / str(source.repository.pk) / f"{commit}{suffix}"


def remember_commit(context: DeployContext, source: Source, commit: str) -> None:
    """Notes what this deployment takes of a repository, before anything is done with it."""
    run = context.run
    run.remember(commits=run.data.get("commits", {}) | {str(source.repository.pk): commit})


def _pinned(context: DeployContext, source: Source) -> str:
    """The commit that was chosen already: by this deployment before a crash, by whoever asked for it, or by the
    release that is applied once more."""
    key = str(source.repository.pk)
    chosen = context.run.data.get("commits", {}).get(key) or context.run.parameters.get("commits", {}).get(key)
    if chosen:
        return chosen
    if source.kind == Repository.Kind.PRIMARY and context.run.parameters.get("commit"):
        return context.run.parameters["commit"]
    return next((stored["commit"] for stored in context.sources if stored["repository_id"] == key), "")


def _export_and_ship(
    context: DeployContext, source: Source, commit: str, folder: PurePosixPath, *, ship: bool
) -> SourceSnapshot:
    exports = settings.RUN_DIRECTORY / "exports"
    exports.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=exports) as temporary:
        tree = export(source.git, commit, Path(temporary) / "tree", run=context.run)
        snapshot = snapshot_of(source, commit) or _read(source, commit, tree)
        for directory in manifests.unusable_directories(tree):
            context.run.warning(f"The modules in {directory!r} are left out: odoo.conf cannot name this folder.")
        if ship:
            context.host.files.upload_tree(tree, folder, run=context.run)
    return snapshot


def _read(source: Source, commit: str, tree: Path) -> SourceSnapshot:
    modules = {
        module.name: {
            "path": module.path,
            "version": module.version,
            "depends": list(module.depends),
            "installable": module.installable,
            "auto_install": module.auto_install,
            "hash": manifests.content_hash(tree / module.path),
        }
        for module in manifests.manifests(tree)
    }
    values = {"directories": manifests.addons_directories(tree), "modules": modules}
    owner = "platform_repository" if source.is_platform else "repository"
    key = {owner: source.repository, "commit": commit, "subdirectory": source.subdirectory}
    snapshot, _ = SourceSnapshot.objects.update_or_create(**key, defaults=values)
    return snapshot


def _secrets_of(source: GitSource) -> list[str]:
    credential = source.credential
    return [credential.token, credential.private_key] if credential else []
