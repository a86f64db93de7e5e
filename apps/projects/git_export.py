"""Files of one commit, out of a mirror and into a folder: nothing may lie outside of it, nor point there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings

from apps.core.exceptions import Problem
from apps.projects.git import mirror_path
from apps.projects.git_process import LOCAL_ENVIRONMENT, SAFE_OPTIONS, explain
from apps.projects.git_sources import GitSource

MAXIMUM_FILES = 500_000
_COPY_BYTES = 2**20


def export(source: GitSource, commit: str, destination: Path, *, run: Any = None) -> Path:
    """Writes the files of a commit (below the repository's subdirectory, when it has one) to `destination`, which
    appears complete or not at all; an existing one is left as it is. Submodules stay empty folders.

    Raises Problem `projects.subdirectory_not_found`, `projects.unsafe_path`, `projects.export_too_large`.
    """
    if destination.exists():
        return destination
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as folder:
        tree = Path(folder) / "tree"
        tree.mkdir(mode=0o755)
        _unpack(source, commit, tree, run)
        try:
            tree.rename(destination)
        except OSError:
            # Somebody else was faster, with the same files: named by commit, they cannot differ.
            if not destination.is_dir():
                raise
    return destination


def _unpack(source: GitSource, commit: str, tree: Path, run: Any) -> None:
    reference = f"{commit}:{source.subdirectory}" if source.subdirectory else commit
    command = ["git", *SAFE_OPTIONS, "--git-dir", str(mirror_path(source)), "archive", "--format=tar"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*command, "--end-of-options", reference],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=os.sep,
            env=LOCAL_ENVIRONMENT,
        )
        try:
            broken = _read_archive(process.stdout, _Unpacker(tree, source), run)
        finally:
            process.stdout.close()
            if process.poll() is None:
                process.terminate()
            process.wait()
        if process.returncode != 0 or broken:
            errors.seek(0)
            words = errors.read(65536).decode(errors="replace")
            if source.subdirectory and "not a valid object name" in words.lower():
                raise Problem("projects.subdirectory_not_found", folder=source.subdirectory, commit=commit)
            context = {"repository": source.url, "branch": commit}
            raise explain(words, access=None, exit_code=process.returncode, context=context)


def _read_archive(stream: IO[bytes], unpacker: _Unpacker, run: Any) -> bool:
    """Unpacks what git writes; True when git ended early, and its own words say why."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for number, member in enumerate(archive):
                if run is not None and number % 500 == 0:
                    run.check()
                unpacker.take(archive, member)
        while stream.read(_COPY_BYTES):
            pass
    except tarfile.ReadError:
        return True
    unpacker.finish()
    return False


@dataclass
class _Unpacker:
    """Takes one member of an archive after the other; links come last, so that nothing is written through one."""

    root: Path
    source: GitSource
    files: int = 0
    size: int = 0
    links: dict[str, str] = field(default_factory=dict)

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or not name.parts or ".git" in name.parts:
            raise self._unsafe(member.name)
        self._count(member)
        if member.isdir():
            self._make_folder(name)
        elif member.issym():
            self.links[str(name)] = member.linkname
        elif member.isreg():
            self._make_folder(name.parent)
            self._write(archive, member, self.root / name)
        else:
            raise self._unsafe(member.name)

    def finish(self) -> None:
        """Makes the links, then looks where each of them really leads."""
        for name, target in self.links.items():
            path = self.root / name
            self._make_folder(PurePosixPath(name).parent)
            if path.is_symlink() or path.exists() or os.path.isabs(target):
                raise self._unsafe(name)
            path.symlink_to(target)
        root = self.root.resolve()
        for name in self.links:
            try:
                real = (self.root / name).resolve()
            except (OSError, RuntimeError) as error:
                raise self._unsafe(name) from error
            if not real.is_relative_to(root):
                raise self._unsafe(name)

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        mode = 0o755 if member.mode & 0o100 else 0o644
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise self._unsafe(member.name) from error
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(archive.extractfile(member), file, _COPY_BYTES)
        os.chmod(path, mode)

    def _make_folder(self, name: PurePosixPath) -> None:
        folder = self.root / name
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise self._unsafe(str(name)) from error

    def _count(self, member: tarfile.TarInfo) -> None:
        self.files += 1
        self.size += member.size
        limit = settings.GIT_MAXIMUM_MEGABYTES
        if self.files > MAXIMUM_FILES or self.size > limit * 2**20:
            details = {"repository": self.source.url, "megabytes": limit, "files": MAXIMUM_FILES}
            raise Problem("projects.export_too_large", **details)

    def _unsafe(self, path: str) -> Problem:
        return Problem("projects.unsafe_path", path=path[:200], repository=self.source.url)
