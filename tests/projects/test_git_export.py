"""Files of a commit come out as they are, and nothing comes out of the folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from apps.core.exceptions import Problem
from apps.projects import git
from apps.projects.git_export import export
from apps.projects.models import Repository

AUTHOR = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "PATH": os.environ["PATH"],
}


class Mirror:
    """A mirror as `git.fetch` leaves it, filled with objects of any kind, also those that no ordinary push makes."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.path = git.mirror_path(repository)
        self.path.parent.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--template=", str(self.path), bare=False)
        (self.path / "info").mkdir()
        (self.path / "info" / "attributes").write_text(git._ATTRIBUTES)

    def git(self, *arguments: str, data: bytes = b"", bare: bool = True) -> str:
        where = ["--git-dir", str(self.path)] if bare else []
        result = subprocess.run(["git", *where, *arguments], input=data, capture_output=True, check=True, env=AUTHOR)
        return result.stdout.decode().strip()

    def blob(self, content: str) -> str:
        return self.git("hash-object", "-w", "--stdin", data=content.encode())

    def tree(self, *entries: tuple[str, str, str]) -> str:
        """Entries as (mode, name, object). Written raw: `mktree` would refuse what a hostile client sends."""
        content = b"".join(
            f"{mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(identifier) for mode, name, identifier in entries
        )
        return self.git("hash-object", "-w", "--literally", "-t", "tree", "--stdin", data=content)

    def commit(self, tree: str) -> str:
        return self.git("commit-tree", "-m", "x", tree)

    def commit_of(self, *entries: tuple[str, str, str]) -> str:
        return self.commit(self.tree(*entries))


@pytest.fixture
def mirror(project) -> Mirror:
    return Mirror(
        Repository.objects.create(
            project=project, kind="primary", name="R", slug="r", url="https://example.com/r.git", branch="main"
        )
    )


def test_files_folders_programs_and_links(mirror, tmp_path):
    inner = mirror.tree(("100644", "a.py", mirror.blob("a = 1\n")), ("100755", "run.sh", mirror.blob("#!/bin/sh\n")))
    commit = mirror.commit_of(
        ("120000", "link", mirror.blob("module/a.py")),
        ("40000", "module", inner),
        ("100644", "ä ö.txt", mirror.blob("")),
    )
    tree = export(mirror.repository, commit, tmp_path / "out" / commit)
    assert (tree / "module" / "a.py").read_text() == "a = 1\n"
    assert os.access(tree / "module" / "run.sh", os.X_OK)
    assert (tree / "module" / "a.py").stat().st_mode & 0o111 == 0
    assert (tree / "link").read_text() == "a = 1\n"
    assert (tree / "ä ö.txt").exists()
    assert [path.name for path in tree.parent.iterdir()] == [commit]


def test_exporting_again_changes_nothing(mirror, tmp_path):
    commit = mirror.commit_of(("100644", "a", mirror.blob("a")))
    tree = export(mirror.repository, commit, tmp_path / "tree")
    before = (tree / "a").stat().st_ino
    assert export(mirror.repository, commit, tmp_path / "tree") == tree
    assert (tree / "a").stat().st_ino == before


def test_attributes_of_the_repository_change_nothing(mirror, tmp_path):
    commit = mirror.commit_of(
        ("100644", ".gitattributes", mirror.blob("a export-ignore\nb export-subst ident text eol=crlf\n")),
        ("100644", "a", mirror.blob("a")),
        ("100644", "b", mirror.blob("$Format:%H$ $Id$\n")),
    )
    tree = export(mirror.repository, commit, tmp_path / "tree")
    assert (tree / "a").read_text() == "a"
    assert (tree / "b").read_bytes() == b"$Format:%H$ $Id$\n"


def test_a_subdirectory_alone(mirror, tmp_path):
    inner = mirror.tree(("100644", "a", mirror.blob("a")))
    commit = mirror.commit_of(("40000", "addons", inner), ("100644", "outside", mirror.blob("x")))
    mirror.repository.subdirectory = "addons"
    tree = export(mirror.repository, commit, tmp_path / "tree")
    assert [path.name for path in tree.iterdir()] == ["a"]
    mirror.repository.subdirectory = "nowhere"
    with pytest.raises(Problem) as caught:
        export(mirror.repository, commit, tmp_path / "other")
    assert caught.value.code == "projects.subdirectory_not_found"


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../outside", "a/../../outside", "..", "deep/../../../etc", "/", "../../../../etc/shadow"]
)
def test_links_that_lead_out_are_refused(mirror, tmp_path, target):
    commit = mirror.commit_of(("120000", "link", mirror.blob(target)))
    with pytest.raises(Problem) as caught:
        export(mirror.repository, commit, tmp_path / "tree")
    assert caught.value.code == "projects.unsafe_path"
    assert not (tmp_path / "tree").exists()


def test_links_that_lead_out_together_are_refused(mirror, tmp_path):
    deep = mirror.tree(("120000", "up", mirror.blob("../..")))
    deeper = mirror.tree(("40000", "d2", deep))
    commit = mirror.commit_of(("40000", "d1", deeper), ("120000", "out", mirror.blob("d1/d2/up/../x")))
    with pytest.raises(Problem) as caught:
        export(mirror.repository, commit, tmp_path / "tree")
    assert caught.value.code == "projects.unsafe_path"


def test_a_link_and_a_folder_of_one_name_are_refused(mirror, tmp_path):
    inner = mirror.tree(("100644", "owned", mirror.blob("owned")))
    outside = tmp_path / "outside"
    outside.mkdir()
    commit = mirror.commit_of(("120000", "a", mirror.blob(str(outside))), ("40000", "a", inner))
    with pytest.raises(Problem):
        export(mirror.repository, commit, tmp_path / "tree")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".git", "../x", "/x"])
def test_names_that_lead_out_are_refused(mirror, tmp_path, name):
    commit = mirror.commit_of(("100644", name, mirror.blob("x")))
    with pytest.raises(Problem):
        export(mirror.repository, commit, tmp_path / "deep" / "tree")
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "deep" / "x").exists()


def test_a_loop_of_links_is_refused(mirror, tmp_path):
    commit = mirror.commit_of(("120000", "a", mirror.blob("b")), ("120000", "b", mirror.blob("a")))
    with pytest.raises(Problem) as caught:
        export(mirror.repository, commit, tmp_path / "tree")
    assert caught.value.code == "projects.unsafe_path"


def test_a_submodule_stays_an_empty_folder(mirror, tmp_path):
    commit = mirror.commit_of(("160000", "sub", "1" * 40))
    assert list((export(mirror.repository, commit, tmp_path / "tree") / "sub").iterdir()) == []


def test_too_much_is_refused(mirror, tmp_path, settings):
    settings.GIT_MAXIMUM_MEGABYTES = 1
    commit = mirror.commit_of(("100644", "big", mirror.blob("x" * (2**20 + 1))))
    with pytest.raises(Problem) as caught:
        export(mirror.repository, commit, tmp_path / "tree")
    assert caught.value.code == "projects.export_too_large"


def test_a_commit_that_is_not_there(mirror, tmp_path):
    with pytest.raises(Problem):
        export(mirror.repository, "0" * 40, tmp_path / "tree")
    assert list(tmp_path.glob("tree*")) == []


def test_cancelling_leaves_nothing(mirror, tmp_path, recorder):
    class Stop(Exception):
        pass

    recorder.stop = Stop()
    commit = mirror.commit_of(("100644", "a", mirror.blob("a")))
    with pytest.raises(Stop):
        export(mirror.repository, commit, tmp_path / "out" / "tree", run=recorder)
    assert list(Path(tmp_path / "out").iterdir()) == []


def test_equal_trees_have_equal_ids(mirror):
    inner = mirror.tree(("100644", "a", mirror.blob("a")))
    first = mirror.commit_of(("40000", "m", inner))
    second = mirror.commit_of(("40000", "m", inner), ("100644", "z", mirror.blob("z")))
    assert git.tree_id(mirror.repository, first, "m") == git.tree_id(mirror.repository, second, "m") == inner
    assert git.tree_id(mirror.repository, first) != git.tree_id(mirror.repository, second)
