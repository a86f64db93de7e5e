"""Source is fetched from a real Git server: over HTTP with and without a token, over SSH with a deploy key."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from apps.core.exceptions import Problem
from apps.projects import git, keys
from apps.projects.models import GitCredential, Repository

pytestmark = pytest.mark.lab


class Stop(Exception):
    """The person pressed Cancel."""


def test_a_public_repository(git_server, connect, recorder):
    remote = git_server.create("public")
    repository = connect(remote)
    commit = git.resolve(repository, "main")
    assert commit == remote.head()
    mirror = git.fetch(repository, run=recorder, commit=commit)
    assert mirror == git.mirror_path(repository)
    assert git.has_commit(repository, commit)
    assert any("Fetched" in line for line in recorder.lines)
    repository.refresh_from_db()
    assert repository.last_fetched_at is not None


def test_fetching_again_takes_what_is_new_and_a_known_commit_takes_nothing(git_server, connect, recorder):
    remote = git_server.create("again")
    repository = connect(remote)
    git.fetch(repository)
    newer = remote.commit({"new.txt": "new"}, "Second")
    assert not git.has_commit(repository, newer)
    git.fetch(repository, commit=newer)
    assert git.has_commit(repository, newer)
    assert [commit.subject for commit in git.log(repository, "refs/heads/main")] == ["Second", "First version"]
    remote.remove()
    git.fetch(repository, run=recorder, commit=newer)
    assert recorder.lines == []


def test_a_forced_push_and_a_removed_branch_are_followed(git_server, connect):
    remote = git_server.create("forced")
    remote.commit({"a": "a"}, branch="topic")
    repository = connect(remote)
    git.fetch(repository)
    rewritten = remote.rewrite({"b": "b"})
    remote.delete_branch("topic")
    git.fetch(repository)
    assert git.log(repository, "refs/heads/main")[0].id == rewritten
    assert git.log(repository, "refs/heads/topic") == []


def test_branches_are_listed_live(git_server, connect):
    remote = git_server.create("branches")
    topic = remote.commit({"a": "a"}, branch="feature/topic")
    branches = git.list_branches(Repository(url=remote.url))
    assert [(branch.name, branch.commit) for branch in branches] == [
        ("feature/topic", topic),
        ("main", remote.head()),
    ]


def test_an_empty_repository_has_no_branches(git_server):
    assert git.list_branches(Repository(url=git_server.create("empty", modules={}).url)) == []


def test_a_token_opens_a_private_repository_and_stands_in_no_command_line(git_server, connect, token_for):
    remote = git_server.create("private", private=True)
    repository = connect(remote, credential=token_for(remote))
    remote.set_delay(0.5)
    seen: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(file.read_bytes().decode(errors="replace"))
                except OSError:
                    continue
            time.sleep(0.05)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        git.fetch(repository)
    finally:
        over.set()
        watcher.join()
    assert any("git" in line and remote.url in line for line in seen)
    assert not any(remote.token in line for line in seen)
    assert remote.token not in (git.mirror_path(repository) / "config").read_text()


def test_a_private_repository_without_a_token(git_server, connect):
    with pytest.raises(Problem) as caught:
        git.resolve(connect(git_server.create("closed", private=True)), "main")
    assert caught.value.code == "projects.repository_needs_password"


def test_a_wrong_token(git_server, connect, token_for):
    remote = git_server.create("closed", private=True)
    with pytest.raises(Problem) as caught:
        git.fetch(connect(remote, credential=token_for(remote, "0" * 40)))
    assert caught.value.code == "projects.wrong_token"
    assert not git.mirror_path(Repository.objects.get()).exists()


def test_a_token_is_sent_to_no_other_server(git_server, token_for, cast):
    remote = git_server.create("closed", private=True)
    credential = token_for(remote)
    GitCredential.objects.filter(pk=credential.pk).update(host="github.com")
    credential.refresh_from_db()
    with pytest.raises(Problem, match="not sent to"):
        git.list_branches(Repository(url=remote.url, credential=credential))


def test_a_deploy_key_opens_a_repository_and_pins_the_host(git_server, connect, deploy_key):
    remote = git_server.create("keyed")
    remote.add_deploy_key(deploy_key.public_key)
    repository = connect(remote, credential=deploy_key, ssh=True)
    git.fetch(repository, commit=git.resolve(repository, "main"))
    deploy_key.refresh_from_db()
    assert git_server.host_key.split()[1] in deploy_key.known_host
    assert len(deploy_key.known_host.splitlines()) == 1


def test_a_changed_host_key_stops_everything(git_server, connect, deploy_key):
    remote = git_server.create("keyed")
    remote.add_deploy_key(deploy_key.public_key)
    other_key = keys.generate("x")[1].split()[1]
    line = f"[{git_server.address}]:{git_server.ssh_port} ssh-ed25519 {other_key}\n"
    GitCredential.objects.filter(pk=deploy_key.pk).update(known_host=line)
    deploy_key.refresh_from_db()
    with pytest.raises(Problem) as caught:
        git.resolve(connect(remote, credential=deploy_key, ssh=True), "main")
    assert caught.value.code == "projects.git_host_key_changed"
    deploy_key.refresh_from_db()
    assert deploy_key.known_host == line


def test_a_deploy_key_that_nobody_added(git_server, connect, deploy_key):
    with pytest.raises(Problem) as caught:
        git.resolve(connect(git_server.create("keyed"), credential=deploy_key, ssh=True), "main")
    assert caught.value.code == "projects.git_key_refused"
    deploy_key.refresh_from_db()
    assert deploy_key.known_host == ""


def test_ssh_without_a_key(git_server, connect):
    with pytest.raises(Problem) as caught:
        git.resolve(connect(git_server.create("keyed"), ssh=True), "main")
    assert caught.value.code == "projects.git_needs_deploy_key"


def test_a_repository_that_does_not_exist(git_server, connect):
    remote = git_server.create("soon-gone")
    repository = connect(remote)
    remote.remove()
    for act in (lambda: git.resolve(repository, "main"), lambda: git.fetch(repository)):
        with pytest.raises(Problem) as caught:
            act()
        assert caught.value.code == "projects.repository_not_found"


def test_a_branch_that_does_not_exist(git_server, connect):
    with pytest.raises(Problem, match="no branch or tag nowhere"):
        git.resolve(connect(git_server.create("public")), "nowhere")


def test_a_commit_that_is_gone(git_server, connect):
    with pytest.raises(Problem) as caught:
        git.fetch(connect(git_server.create("public")), commit="0" * 40)
    assert caught.value.code == "projects.commit_not_found"


def test_a_port_where_nothing_listens(connect, git_server):
    remote = git_server.create("public")
    repository = connect(remote)
    repository.url = remote.url.replace(f":{git_server.port}", ":9")
    with pytest.raises(Problem) as caught:
        git.resolve(repository, "main")
    assert caught.value.code == "projects.git_unreachable"


def test_a_slow_server_is_left_alone_on_cancel(git_server, connect, recorder):
    remote = git_server.create("slow")
    repository = connect(remote)
    remote.set_delay(20)
    recorder.stop = Stop()
    started = time.monotonic()
    with pytest.raises(Stop):
        git.fetch(repository, run=recorder)
    assert time.monotonic() - started < 5
    remote.set_delay(0)
    assert git.fetch(repository).exists()


def test_a_server_that_says_nothing_is_left_after_the_time_limit(git_server, connect, monkeypatch):
    remote = git_server.create("slow")
    repository = connect(remote)
    remote.set_delay(20)
    monkeypatch.setattr(git, "FETCH_TIMEOUT_SECONDS", 2)
    with pytest.raises(Problem) as caught:
        git.fetch(repository)
    assert caught.value.code == "projects.git_timeout"


def test_a_repository_that_is_too_large(git_server, connect, settings):
    settings.GIT_MAXIMUM_MEGABYTES = 0
    with pytest.raises(Problem) as caught:
        git.fetch(connect(git_server.create("public")))
    assert caught.value.code == "projects.repository_too_large"


def test_leftovers_of_a_killed_git_are_in_nobodys_way(git_server, connect):
    remote = git_server.create("public")
    repository = connect(remote)
    mirror = git.fetch(repository)
    (mirror / "refs" / "heads" / "main.lock").touch()
    (mirror / "packed-refs.lock").touch()
    newer = remote.commit({"x": "x"})
    git.fetch(repository, commit=newer)
    assert git.has_commit(repository, newer)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_mirror(git_server, connect):
    remote = git_server.create("public")
    repository = connect(remote)
    errors: list[BaseException] = []

    def fetch() -> None:
        try:
            git.fetch(repository, commit=remote.head())
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=fetch) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert git.has_commit(repository, remote.head())
    assert [path.name for path in git.mirror_path(repository).parent.glob("*.new-*")] == []


def test_enterprise_comes_without_its_history(git_server, connect):
    remote = git_server.create("enterprise")
    for number in range(3):
        newest = remote.commit({"file": str(number)}, f"Number {number}")
    repository = connect(remote, kind=Repository.Kind.ENTERPRISE)
    git.fetch(repository, commit=newest)
    assert len(git.log(repository, newest)) == 1
    newer = remote.commit({"file": "x"})
    git.fetch(repository, commit=newer)
    assert git.has_commit(repository, newer)


def test_a_redirection_is_not_followed(git_server, connect, redirecting_server):
    remote = git_server.create("public")
    repository = connect(remote)
    repository.url = f"{redirecting_server(remote.url)}/public.git"
    with pytest.raises(Problem) as caught:
        git.resolve(repository, "main")
    assert caught.value.code == "projects.repository_moved"


def test_no_hooks_come_with_a_mirror(git_server, connect):
    mirror = git.fetch(connect(git_server.create("public")))
    assert not (mirror / "hooks").exists()
    assert subprocess.run(["git", "--git-dir", str(mirror), "fsck"], capture_output=True).returncode == 0
