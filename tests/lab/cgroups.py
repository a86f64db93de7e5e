"""Control groups of a lab server: one group per hierarchy, which holds every process of that server.

They serve twice: Docker inside finds a tree of its own to set limits in, and whatever a killed session left running is
found by its membership. Version 1 (one hierarchy per controller) and version 2 (one for all) are both handled.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import LabError, wait_until


@dataclass(frozen=True)
class Hierarchy:
    """One mounted tree of groups. `options` is what mounts it again; empty for version 2."""

    path: Path
    options: str

    @property
    def is_version_2(self) -> bool:
        return not self.options


def hierarchies() -> list[Hierarchy]:
    """The trees mounted on this machine. Where version 1 is in use, a version 2 tree beside it has no controllers."""
    first: list[Hierarchy] = []
    second: list[Hierarchy] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(maxsplit=2)
        path = Path(left.split()[4])
        if kind == "cgroup":
            named = [word for word in options.split(",") if word not in ("rw", "ro")]
            if any(word.startswith("name=") for word in named):
                named = ["none", *named]
            first.append(Hierarchy(path, ",".join(named)))
        elif kind == "cgroup2":
            second.append(Hierarchy(path, ""))
    found = first or second
    if not found:
        raise LabError("no control groups are mounted on this machine")
    return found


class ServerGroup:
    """The groups `oecsh/NAME` in every hierarchy."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hierarchies = hierarchies()

    @property
    def directories(self) -> list[Path]:
        return [hierarchy.path / "oecsh" / self.name for hierarchy in self.hierarchies]

    def create(self) -> None:
        """Make the groups and let them use what their parents may use."""
        for hierarchy, directory in zip(self.hierarchies, self.directories, strict=True):
            directory.mkdir(parents=True, exist_ok=True)
            for child in (directory.parent, directory):
                _inherit_cpuset(child)
            if hierarchy.is_version_2:
                for parent in (hierarchy.path, directory.parent):
                    _delegate_controllers(parent)

    def processes(self) -> set[int]:
        """Every process in the groups or below them, with its pid as this machine counts."""
        found: set[int] = set()
        for directory in self.directories:
            for listing in directory.rglob("cgroup.procs"):
                with contextlib.suppress(OSError):
                    found.update(int(pid) for pid in listing.read_text().split())
        return found - {0, os.getpid()}

    def kill(self) -> None:
        """Kill what is left in the groups; returns when nothing is."""

        def emptied() -> bool:
            left = self.processes()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left

        wait_until(emptied, timeout=15, what=f"processes of {self.name} killed")

    def remove(self) -> None:
        """Remove the (empty) groups, deepest first."""
        for directory in self.directories:
            if directory.exists():
                for path in sorted((path for path in directory.rglob("*") if path.is_dir()), reverse=True):
                    _remove_group(path)
                _remove_group(directory)


def _remove_group(path: Path) -> None:
    def removed() -> bool:
        try:
            path.rmdir()
        except FileNotFoundError:
            return True
        except OSError:  # busy for a moment after its last process died
            return False
        return True

    wait_until(removed, timeout=5, what=f"control group {path} removed")


def _inherit_cpuset(group: Path) -> None:
    """A new group of version 1 has no processors and takes no process until it is given some."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        own = group / name
        if own.exists() and not own.read_text().strip():
            above = group.parent / name
            if above.exists() and above.read_text().strip():
                own.write_text(above.read_text())


def _delegate_controllers(group: Path) -> None:
    wanted = (group / "cgroup.controllers").read_text().split()
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in wanted))
