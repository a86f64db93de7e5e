"""Source code, fetched in the control plane: bare mirrors under RUN_DIRECTORY/git, one per repository (`GitSource`).

A customer's server gets files of one commit, never a credential. Everything here may be repeated: a mirror is made
aside and renamed, and a fetch only adds.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core import clock
from apps.core.exceptions import Problem
from apps.core.validators import validate_git_reference
from apps.projects.git_access import open_access
from apps.projects.git_process import run_git
from apps.projects.git_sources import GitSource
from apps.projects.models import Repository

FETCH_TIMEOUT_SECONDS = 900
MAXIMUM_BRANCHES = 2000
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Files are exported as they are stored: attributes could leave files out, or rewrite them.
_ATTRIBUTES = "* -export-ignore -export-subst -ident -filter -text !eol -working-tree-encoding\n"


@dataclass(frozen=True)
class Branch:
    """A branch and its newest commit."""

    name: str
    commit: str


@dataclass(frozen=True)
class Commit:
    """One commit as lists show it."""

    id: str
    author: str
    created_at: datetime
    subject: str


def mirror_path(source: GitSource) -> Path:
    """Where the mirror of a repository is, or will be."""
    return settings.RUN_DIRECTORY / "git" / f"{source.pk}.git"


def is_commit(text: str) -> bool:
    """True for a full commit id."""
    return _COMMIT.fullmatch(text) is not None


def list_branches(source: GitSource, *, run: Any = None) -> list[Branch]:
    """The branches of a remote, asked live, in the order of their names. `source` need not be saved."""
    with open_access(source) as access:
        arguments = ["ls-remote", "--heads", "--end-of-options", source.url]
        lines = run_git(arguments, access=access, run=run, context={"repository": source.url}).splitlines()
    pairs = (line.split("\t", 1) for line in lines[:MAXIMUM_BRANCHES] if "\t" in line)
    return [Branch(name.removeprefix("refs/heads/"), commit) for commit, name in pairs]


def resolve(source: GitSource, branch: str, *, run: Any = None) -> str:
    """The commit that a branch, a tag, or a commit id means now, asked live. A branch wins over a tag of that name.

    Raises Problem `projects.branch_not_found`, and what reaching the remote may raise.
    """
    validate_git_reference(branch)
    if is_commit(branch):
        return branch
    wanted = [f"refs/heads/{branch}", f"refs/tags/{branch}^{{}}", f"refs/tags/{branch}"]
    context = {"repository": source.url, "branch": branch}
    with open_access(source) as access:
        arguments = ["ls-remote", "--end-of-options", source.url, *wanted]
        lines = run_git(arguments, access=access, run=run, context=context).splitlines()
    found = {name: commit for commit, _, name in (line.partition("\t") for line in lines)}
    for reference in wanted:
        if reference in found:
            return found[reference]
    raise Problem("projects.branch_not_found", host="", **context)


def fetch(source: GitSource, *, run: Any = None, commit: str = "") -> Path:
    """Brings the mirror up to date and returns its folder. When `commit` is given and there already, nothing is done.

    What is shallow (Odoo Enterprise) is fetched without its history, one commit at a time: `commit` is needed for it.
    Raises Problem `projects.*`; cancellable by `run`.
    """
    mirror = mirror_path(source)
    with _locked(mirror, run) as lock:
        if commit and has_commit(source, commit):
            return mirror
        if mirror.exists():
            _remove_leftovers(mirror)
            _fetch_into(mirror, source, run=run, commit=commit, lock=lock)
        else:
            _make_mirror(mirror, source, run=run, commit=commit, lock=lock)
    if commit and not has_commit(source, commit):
        raise Problem("projects.commit_not_found", repository=source.url, commit=commit)
    # Only a project's repository has a row here.
    Repository.objects.filter(pk=source.pk).update(last_fetched_at=clock.now())
    return mirror


def has_commit(source: GitSource, commit: str) -> bool:
    """True when the mirror holds the commit with all of its files."""
    mirror = mirror_path(source)
    if not is_commit(commit) or not mirror.exists():
        return False
    try:
        run_git(["rev-parse", "--quiet", "--verify", "--end-of-options", f"{commit}^{{tree}}"], directory=mirror)
    except Problem:
        return False
    return True


def tree_id(source: GitSource, commit: str, folder: str = "") -> str:
    """Git's own hash of the content of a folder at a commit: equal ids mean equal files."""
    reference = f"{commit}:{folder}" if folder else f"{commit}^{{tree}}"
    arguments = ["rev-parse", "--quiet", "--verify", "--end-of-options", reference]
    return run_git(arguments, directory=mirror_path(source)).strip()


def log(source: GitSource, reference: str, *, limit: int = 20) -> list[Commit]:
    """The newest commits of a branch or commit in the mirror; empty when the mirror does not hold it yet."""
    mirror = mirror_path(source)
    if not mirror.exists():
        return []
    layout = "%H%x1f%an%x1f%ct%x1f%s%x1e"
    arguments = ["log", f"--max-count={limit}", f"--format={layout}", "--end-of-options", reference, "--"]
    try:
        text = run_git(arguments, directory=mirror)
    except Problem:
        return []
    records = (record.strip("\n").split("\x1f") for record in text.split("\x1e") if record.strip())
    return [Commit(commit, who, datetime.fromtimestamp(int(at), UTC), subject) for commit, who, at, subject in records]


def remove_mirror(repository_id: uuid.UUID) -> None:
    """Forgets what was fetched of a repository that is gone."""
    mirror = settings.RUN_DIRECTORY / "git" / f"{repository_id}.git"
    shutil.rmtree(mirror, ignore_errors=True)
    mirror.with_suffix(".lock").unlink(missing_ok=True)


def _make_mirror(mirror: Path, source: GitSource, *, run: Any, commit: str, lock: int) -> None:
    """The first fetch, made aside: half a mirror is never taken for one."""
    for old in mirror.parent.glob(f"{mirror.name}.new-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{mirror.name}.new-", dir=mirror.parent) as folder:
        fresh = Path(folder) / "mirror"
        # Git's templates bring hooks along: none here.
        run_git(["init", "--quiet", "--bare", "--template=", str(fresh)])
        (fresh / "info").mkdir(exist_ok=True)
        (fresh / "info" / "attributes").write_text(_ATTRIBUTES)
        _fetch_into(fresh, source, run=run, commit=commit, lock=lock)
        fresh.rename(mirror)


def _fetch_into(mirror: Path, source: GitSource, *, run: Any, commit: str, lock: int) -> None:
    if source.is_shallow and commit:
        what = ["--depth=1", "--end-of-options", source.url, f"+{commit}:refs/oecsh/{commit}"]
    else:
        heads, tags = "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"
        what = ["--prune", "--end-of-options", source.url, heads, tags]
    started = time.monotonic()
    with open_access(source) as access:
        run_git(
            # As packs, however small: that is what `_check_size` looks at.
            [
                "-c",
                "fetch.unpackLimit=1",
                "fetch",
                "--progress",
                "--force",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                *what,
            ],
            access=access,
            directory=mirror,
            run=run,
            timeout=FETCH_TIMEOUT_SECONDS,
            size_limit=lambda: _check_size(mirror, source),
            keep_open=lock,
            context={"repository": source.url, "branch": source.branch},
        )
    _check_size(mirror, source)
    if run is not None:
        run.info(f"Fetched {source.url} in {time.monotonic() - started:.1f} s")


def _check_size(mirror: Path, source: GitSource) -> None:
    size = 0
    for file in mirror.glob("objects/pack/*"):
        with contextlib.suppress(FileNotFoundError):
            size += file.stat().st_size
    limit = settings.GIT_MAXIMUM_MEGABYTES
    if size > limit * 2**20:
        raise Problem("projects.repository_too_large", repository=source.url, megabytes=limit)


def _remove_leftovers(mirror: Path) -> None:
    """A git that was killed leaves its lock files; ours is held, so nobody else is at work here."""
    for leftover in (*mirror.glob("*.lock"), *mirror.glob("refs/**/*.lock"), *mirror.glob("objects/pack/tmp_*")):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(mirror: Path, run: Any) -> Iterator[int]:
    """One fetch at a time per repository, on this machine."""
    mirror.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with mirror.with_suffix(".lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if run is not None:
                    run.check()
                time.sleep(0.1)
        yield file.fileno()
