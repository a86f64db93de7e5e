"""The server's trash: what an environment leaves behind is renamed into it, and back, and only `purge` removes it.

Everything in it is named by the environment's id, and lies on the same file system as its folder: a renaming happens
as a whole or not at all.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from apps.core.exceptions import Problem
from apps.environments.render_specification import EnvironmentSpecification
from apps.servers import paths
from apps.servers.host import Host


def set_aside(host: Host, specification: EnvironmentSpecification) -> None:
    """The environment's folder, which nothing uses any more; harmless where that was done."""
    if host.files.exists(specification.directory):
        host.files.make_directory(paths.trash_directory(), mode=0o700)
        host.files.rename(specification.directory, _trash(specification))


def bring_back(host: Host, specification: EnvironmentSpecification) -> None:
    """The opposite of `set_aside`; harmless where that was done. Raises Problem `environments.data_is_gone` where the
    trash does not hold it."""
    if host.files.exists(specification.directory):
        return
    if not host.files.exists(_trash(specification)):
        raise Problem("environments.data_is_gone", folder=_trash(specification))
    host.files.make_directory(paths.environments_directory())
    host.files.rename(_trash(specification), specification.directory)


def purge(host: Host, specification: EnvironmentSpecification) -> None:
    """Removes the data of an environment that was destroyed, for good. Never touches one that was not."""
    for folder in (_trash(specification), _unused(specification)):
        if host.files.exists(folder):
            host.files.remove_tree(folder)


def set_unused_aside(host: Host, specification: EnvironmentSpecification, parts: tuple[str, ...]) -> None:
    """Parts of the environment's folder that never served anybody, in the place of those set aside before."""
    forget_unused(host, specification)
    for folder in (paths.trash_directory(), _unused(specification)):
        host.files.make_directory(folder, mode=0o700)
    for part in parts:
        if host.files.exists(specification.directory / part):
            host.files.rename(specification.directory / part, _unused(specification) / part.replace("/", "-"))


def forget_unused(host: Host, specification: EnvironmentSpecification) -> None:
    """Removes what `set_unused_aside` has kept; harmless where there is nothing."""
    if host.files.exists(_unused(specification)):
        host.files.remove_tree(_unused(specification))


def _trash(specification: EnvironmentSpecification) -> PurePosixPath:
    return paths.trash_directory() / specification.identifier


def _unused(specification: EnvironmentSpecification) -> PurePosixPath:
    return paths.trash_directory() / f"{specification.identifier}-unused"
