"""The lab's Git server, asked by the ordinary git program."""

from __future__ import annotations

import ast
import os
import subprocess
import time
from pathlib import Path
from typing import TypedDict

import pytest

from tests.lab.addons import module_with_missing_dependency, module_with_syntax_error, odoo_module
from tests.lab.commands import Words, execute
from tests.lab.git import GitServer
from tests.lab.keys import ensure_key_pair

pytestmark = pytest.mark.lab


class Keys(TypedDict):
    """What a clone by SSH needs."""

    key: Path
    known_hosts: str


def clone(url: str, target: Path, *options: str, key: Path | None = None, known_hosts: str = "") -> tuple[int, str]:
    """Exit code and error output of a clone that can ask nobody anything."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(target.parent), "GIT_TERMINAL_PROMPT": "0"}
    if key is not None:
        hosts = target.parent / "known_hosts"
        hosts.write_text(f"{known_hosts}\n")
        environment["GIT_SSH_COMMAND"] = f"ssh -F none -i {key} -o BatchMode=yes -o UserKnownHostsFile={hosts}"
    result = execute(["git", "clone", "-q", *options, url, target], check=False, environment=environment)
    return result.returncode, result.stderr


def with_credentials(url: str, credentials: str) -> str:
    return url.replace("://", f"://{credentials}@", 1)


def test_public_repository_with_its_module(git_server: GitServer, tmp_path: Path) -> None:
    repository = git_server.create("public")
    assert clone(repository.url, tmp_path / "copy") == (0, "")
    assert (tmp_path / "copy/oecsh_demo/__manifest__.py").is_file()


def test_private_repository_asks_for_the_token(git_server: GitServer, tmp_path: Path) -> None:
    repository = git_server.create("private", private=True)
    code, said = clone(repository.url, tmp_path / "none")
    assert code != 0
    assert "could not read Username" in said
    code, said = clone(with_credentials(repository.url, "me:wrong"), tmp_path / "wrong")
    assert code != 0
    assert "Authentication failed" in said
    assert clone(with_credentials(repository.url, f"me:{repository.token}"), tmp_path / "password") == (0, "")
    assert clone(with_credentials(repository.url, repository.token), tmp_path / "name") == (0, "")
    old = repository.token
    repository.renew_token()
    assert clone(with_credentials(repository.url, f"me:{old}"), tmp_path / "old")[0] != 0


def test_deploy_key_opens_its_repository_alone_and_only_for_reading(git_server: GitServer, tmp_path: Path) -> None:
    mine, other = git_server.create("mine", private=True), git_server.create("other", private=True)
    keys: Keys = {"key": tmp_path / "id", "known_hosts": git_server.known_hosts}
    mine.add_deploy_key(ensure_key_pair(tmp_path / "id").public_key)
    assert clone(mine.ssh_url, tmp_path / "copy", **keys) == (0, "")
    code, said = clone(other.ssh_url, tmp_path / "not-mine", **keys)
    assert code != 0
    assert "Repository not found" in said
    ensure_key_pair(tmp_path / "stranger")
    code, said = clone(mine.ssh_url, tmp_path / "no", key=tmp_path / "stranger", known_hosts=git_server.known_hosts)
    assert code != 0
    assert "Permission denied" in said
    environment = {**os.environ, "GIT_SSH_COMMAND": f"ssh -F none -i {tmp_path / 'id'} -o StrictHostKeyChecking=no"}
    push: Words = ["git", "-C", tmp_path / "copy", "push", "origin", "HEAD:refs/heads/new"]
    assert execute(push, check=False, environment=environment).returncode != 0
    shell: Words = ["ssh", "-F", "none", "-i", tmp_path / "id", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
             "-p", str(git_server.ssh_port), f"git@{git_server.address}", "id; cat /etc/shadow"]  # fmt: skip
    answer = execute(shell, check=False)
    assert answer.returncode == 128
    assert answer.stdout == ""


def test_unknown_repository_and_branch(git_server: GitServer, tmp_path: Path) -> None:
    repository = git_server.create("known")
    code, said = clone(repository.url.replace("known", "unknown"), tmp_path / "a")
    assert code != 0
    assert "not found" in said
    code, said = clone(repository.url, tmp_path / "b", "--branch", "20.0")
    assert code != 0
    assert "Remote branch 20.0 not found" in said
    code, _ = clone(repository.url.replace("known.git", "..%2f..%2fsecret.git"), tmp_path / "c")
    assert code != 0


def test_commits_branches_and_rewritten_history(git_server: GitServer) -> None:
    repository = git_server.create("history", files={"a": "1", "b": "1"})
    first = repository.head()
    second = repository.commit({"a": "2", "b": None}, "Second")
    feature = repository.commit({"c": "1"}, "Feature", branch="feature")
    listed = execute(["git", "ls-remote", "--heads", repository.url]).stdout
    assert {line.split("\t")[1]: line.split("\t")[0] for line in listed.splitlines()} == {
        "refs/heads/main": second,
        "refs/heads/feature": feature,
    }
    log = execute(["git", "--git-dir", repository.directory, "log", "--format=%H", "main"]).stdout.split()
    assert log == [second, first]
    third = repository.rewrite({"z": "1"})
    log = execute(["git", "--git-dir", repository.directory, "log", "--format=%H", "main"]).stdout.split()
    assert log == [third]


def test_empty_and_slow_repositories(git_server: GitServer, tmp_path: Path) -> None:
    empty = git_server.create("empty", modules={})
    assert execute(["git", "ls-remote", empty.url]).stdout == ""
    slow = git_server.create("slow")
    slow.set_delay(1)
    started = time.monotonic()
    execute(["git", "ls-remote", slow.url])
    assert time.monotonic() - started > 1


def test_large_request_bodies_come_through(git_server: GitServer, tmp_path: Path) -> None:
    """A push above git's post buffer comes in chunks, and needs the token."""
    repository = git_server.create("large")
    assert clone(repository.url, tmp_path / "copy")[0] == 0
    (tmp_path / "copy/blob").write_bytes(os.urandom(3_000_000))
    for words in (["add", "."], ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "Large"]):
        execute(["git", "-C", tmp_path / "copy", *words])
    push: Words = [
        "git",
        "-C",
        tmp_path / "copy",
        "push",
        "-q",
        with_credentials(repository.url, f"me:{repository.token}"),
    ]
    execute([*push, "HEAD:refs/heads/large"])
    head = execute(["git", "-C", tmp_path / "copy", "rev-parse", "HEAD"]).stdout.strip()
    assert repository.head("large") == head


def test_modules_are_what_their_names_say() -> None:
    for path, text in odoo_module().items():
        if path.endswith(".py"):
            ast.parse(text)
    with pytest.raises(SyntaxError):
        ast.parse(module_with_syntax_error("broken")["broken/models/note.py"])
    manifest = ast.literal_eval(module_with_missing_dependency("lonely")["lonely/__manifest__.py"])
    assert manifest["depends"] == ["base", "no_such_module"]


def test_starting_again_leaves_it_running(git_server: GitServer) -> None:
    pid = git_server.daemon.pid
    git_server.start()
    assert git_server.daemon.pid == pid
    assert subprocess.run(["kill", "-0", str(pid)], check=False).returncode == 0
