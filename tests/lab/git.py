"""A real Git server: smart HTTP with or without a token, and SSH with deploy keys."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from images.packages import ensure_packages
from tests.lab.addons import odoo_module
from tests.lab.commands import LabError, Words, execute, wait_until
from tests.lab.git_http import Access
from tests.lab.paths import PACKAGE, REPOSITORY
from tests.lab.processes import Daemon
from tests.lab.sshd import PrivateSshd, answers, ensure_port_is_free

AUTHOR = {
    "GIT_AUTHOR_NAME": "Lab",
    "GIT_AUTHOR_EMAIL": "lab@example.com",
    "GIT_COMMITTER_NAME": "Lab",
    "GIT_COMMITTER_EMAIL": "lab@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitRepository:
    """One repository on the server. `url` and `ssh_url` are what a person would paste; `token` opens a private one."""

    def __init__(self, server: GitServer, name: str) -> None:
        self.server = server
        self.name = name
        self.directory = server.repositories / f"{name}.git"

    @property
    def url(self) -> str:
        return f"http://{self.server.address}:{self.server.port}/{self.name}.git"

    @property
    def ssh_url(self) -> str:
        return f"ssh://git@{self.server.address}:{self.server.ssh_port}/{self.name}.git"

    @property
    def token(self) -> str:
        return self._access.token

    @property
    def private(self) -> bool:
        return self._access.private

    def commit(self, files: Mapping[str, str | None], message: str = "Change", *, branch: str = "main") -> str:
        """Commit files (None removes one) on top of `branch`, made when missing; returns the commit's full hash."""
        with tempfile.TemporaryDirectory(dir=self.server.directory) as folder:
            copy = Path(folder) / "copy"
            execute(["git", "clone", "--quiet", "--no-hardlinks", self.directory, copy], environment=_environment())
            known = self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False).stdout.strip()
            if known:
                _in(copy, "checkout", "--quiet", "-B", branch, known)
            else:
                _in(copy, "checkout", "--quiet", "--orphan", branch)
                _in(copy, "rm", "-rfq", "--ignore-unmatch", ".")
            for path, text in files.items():
                _write(copy, path, text)
            _in(copy, "add", "--all")
            _in(copy, "commit", "--quiet", "--allow-empty", "--message", message)
            _in(copy, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.head(branch)

    def head(self, branch: str = "main") -> str:
        """The commit that the branch points to. Raises `LabError` when there is no such branch."""
        return self._git("rev-parse", "--verify", f"refs/heads/{branch}").stdout.strip()

    def rewrite(self, files: Mapping[str, str | None], message: str = "Rewritten", *, branch: str = "main") -> str:
        """Replace the branch's whole history by one commit, as a forced push does."""
        self._git("update-ref", "-d", f"refs/heads/{branch}", check=False)
        return self.commit(files, message, branch=branch)

    def delete_branch(self, branch: str) -> None:
        self._git("update-ref", "-d", f"refs/heads/{branch}")

    def add_deploy_key(self, public_key: str) -> None:
        """Let the owner of the key read this repository (and no other) by SSH."""
        words = ["sh", str(PACKAGE / "git_shell.sh"), str(self.server.repositories), self.name]
        command = shlex.join(words).replace('"', '\\"')
        self.server.sshd.authorize(public_key, options=f'restrict,command="{command}"')

    def set_private(self, private: bool) -> None:
        self._write(replace(self._access, private=private))

    def renew_token(self) -> str:
        """Make the old token worthless; returns the new one."""
        self._write(replace(self._access, token=secrets.token_hex(20)))
        return self.token

    def set_delay(self, seconds: float) -> None:
        """Let every HTTP request wait that long before it is answered."""
        self._write(replace(self._access, delay=seconds))

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.server.repositories / f"{self.name}.access.json").unlink(missing_ok=True)

    @property
    def _access(self) -> Access:
        return Access.read(self.server.repositories, self.name)

    def _write(self, access: Access) -> None:
        access.write(self.server.repositories, self.name)

    def _git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return execute(["git", "--git-dir", self.directory, *arguments], check=check, environment=_environment())


class GitServer:
    """Repositories in `directory`, over HTTP on `port` and SSH on `ssh_port`. HTTP needs no root; SSH by the name
    `git` does."""

    def __init__(self, directory: Path, *, address: str, port: int = 3000, ssh_port: int = 2222) -> None:
        self.directory = directory
        self.address = address
        self.port = port
        self.ssh_port = ssh_port
        self.repositories = directory / "repositories"
        self.daemon = Daemon("git-http", directory)
        self.sshd = PrivateSshd(directory / "ssh", address=address, port=ssh_port)

    @property
    def host_key(self) -> str:
        """Public host key of the SSH side."""
        return self.sshd.host_key

    @property
    def known_hosts(self) -> str:
        """The SSH side's line for a `known_hosts` file."""
        return f"[{self.address}]:{self.ssh_port} {self.host_key}"

    @property
    def is_running(self) -> bool:
        return self.daemon.mark is not None

    def start(self, *, ssh: bool = True) -> GitServer:
        """Start what does not run yet; repositories of earlier sessions are still there."""
        ensure_packages(("git", "openssh-server") if ssh else ("git",))
        self.repositories.mkdir(parents=True, exist_ok=True)
        if not (self.is_running and answers(self.address, self.port)):
            self.daemon.stop()
            ensure_port_is_free(self.address, self.port)
            command: Words = [
                sys.executable,
                "-m",
                "tests.lab.git_http",
                self.repositories,
                self.address,
                str(self.port),
            ]
            self.daemon.start(command, directory=REPOSITORY)
            ready = lambda: self.daemon.pid > 0 and answers(self.address, self.port)  # noqa: E731
            wait_until(ready, timeout=40, what="the Git server answers")
        if ssh and not self.sshd.is_running:
            # The name `git` exists for this sshd alone: its mount namespace shows it an account more.
            accounts = self.directory / "passwd"
            accounts.write_text(Path("/etc/passwd").read_text() + f"git:x:0:0::{self.repositories}:/bin/sh\n")
            hide = 'mount --bind "$1" /etc/passwd && shift && exec "$@"'
            self.sshd.start(wrapper=("unshare", "--mount", "sh", "-c", hide, "sh", accounts))
        return self

    def stop(self) -> None:
        self.daemon.stop()
        self.sshd.stop()

    def create(
        self,
        name: str,
        *,
        modules: Mapping[str, Mapping[str, str]] | None = None,
        files: Mapping[str, str] | None = None,
        private: bool = False,
        branch: str = "main",
    ) -> GitRepository:
        """A fresh repository with one commit, in place of the one of that name.

        `modules` maps module names to their files (as `addons.odoo_module` gives them); without modules and files the
        repository holds the module `oecsh_demo`. `modules={}` with no files makes it empty, without any branch.
        """
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise LabError(f"{name!r} is no name for a repository")
        repository = GitRepository(self, name)
        repository.remove()
        execute(["git", "init", "--quiet", "--bare", f"--initial-branch={branch}", repository.directory])
        Access(private=private, token=secrets.token_hex(20)).write(self.repositories, name)
        content = dict(files or {})
        for module in (modules or {}).values():
            content |= module
        if modules is None and files is None:
            content = odoo_module()
        if content:
            repository.commit({"README.md": f"# {name}\n", **content}, "First version", branch=branch)
        return repository


def _environment() -> dict[str, str]:
    return {**os.environ, **AUTHOR}


def _in(copy: Path, *arguments: str) -> None:
    execute(["git", "-C", copy, *arguments], environment=_environment())


def _write(copy: Path, path: str, text: str | None) -> None:
    file = copy / path
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
