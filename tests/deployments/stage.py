"""The sources of a deployment without its server: rows and Git are real, the server is a set of folders."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

from apps.deployments.models import Release
from apps.environments.models import Environment


class Recorder:
    """A run that keeps what it was told, as the operation's row would."""

    def __init__(self, data: dict[str, Any], parameters: dict[str, Any]) -> None:
        self.data = data
        self.parameters = parameters
        self.warnings: list[str] = []
        self.lines: list[str] = []
        self.secrets: list[str] = []

    def remember(self, **values: Any) -> None:
        self.data |= values

    def add_secrets(self, values: list[str]) -> None:
        self.secrets += values

    def info(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def progress(self, *_: Any) -> None:
        pass

    def check(self) -> None:
        pass


class Folders:
    """What was brought to the server."""

    def __init__(self) -> None:
        self.trees: dict[str, list[str]] = {}
        self.fails: Exception | None = None

    def exists(self, path: PurePosixPath | str) -> bool:
        return str(path) in self.trees

    def remove_tree(self, path: PurePosixPath | str) -> None:
        self.trees.pop(str(path), None)

    def upload_tree(self, tree: Path, folder: PurePosixPath, *, run: Any = None) -> None:
        if self.fails is not None:
            raise self.fails
        self.trees[str(folder)] = sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file())


class Stage:
    """One deployment after the other of one environment. `again()` is another worker in the same deployment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.folders = Folders()
        self.begin()

    def begin(self, *, reuse: Release | None = None, **parameters: Any) -> Stage:
        """The next deployment, with a release of its own or with an earlier one."""
        environment = self.environment = Environment.objects.get(pk=self.environment.pk)
        if reuse is not None:
            parameters["release_id"] = str(reuse.pk)
        number = environment.releases.count() + 1
        self.release = reuse or Release.objects.create(
            environment=environment, number=number, odoo_version="19.0", image="odoo:19.0", postgres_image="postgres:17"
        )
        self.run = Recorder({}, parameters)
        return self

    def again(self) -> Stage:
        self.run = Recorder(self.run.data, self.run.parameters)
        self.release.refresh_from_db()
        return self

    @property
    def host(self) -> Any:
        return SimpleNamespace(files=self.folders)

    @property
    def sources(self) -> list[dict[str, Any]]:
        return self.release.sources
