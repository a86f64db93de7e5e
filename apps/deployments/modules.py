"""Which modules a deployment installs and updates. Pure: facts in, a plan out.

What was installed is updated when its content changed since the release that runs, or its manifest has a higher
version than the database knows (the rule of Odoo.sh). Nothing is ever uninstalled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.exceptions import Problem

NOTHING = "base"
INSTALLED = ("installed", "to upgrade")

Modules = Mapping[str, Mapping[str, Any]]
States = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class ModulePlan:
    """Names in alphabetical order."""

    install: tuple[str, ...] = ()
    update: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.install or self.update)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is touched."""
        return tuple(sorted({*self.install, *self.update}))

    def arguments(self) -> list[str]:
        """As Odoo's command line takes them."""
        found = []
        if self.install:
            found += ["-i", ",".join(self.install)]
        if self.update:
            found += ["-u", ",".join(self.update)]
        return found


def wanted_modules(listed: Iterable[str], modules: Modules) -> list[str]:
    """What the project wants to be installed: what it lists, or all installable modules of its primary repository.

    Raises Problem `deployments.module_not_installable` for a listed module whose manifest forbids it.
    """
    listed = list(listed)
    if not listed:
        return sorted(name for name, module in modules.items() if module["kind"] == "primary" and module["installable"])
    for name in listed:
        if name in modules and not modules[name]["installable"]:
            raise Problem("deployments.module_not_installable", module=name)
    return sorted(name for name in listed if name != NOTHING)


def with_dependencies(names: Iterable[str], modules: Modules) -> dict[str, str]:
    """The custom modules that installing these brings along, with their content hashes; modules of Odoo itself that
    were asked for have none."""
    found = {name: modules[name]["hash"] if name in modules else "" for name in closure(names, modules)}
    # Modules that install themselves once all that they depend on is there change the result as well.
    automatic = {name: module["hash"] for name, module in modules.items() if module["auto_install"]}
    return found | automatic


def closure(names: Iterable[str], modules: Modules) -> set[str]:
    """These, and the custom modules that they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            depends = modules[name]["depends"] if name in modules else ()
            waiting += [dependency for dependency in depends if dependency in modules]
    return found


def plan_first(wanted: Iterable[str], already: Iterable[str] = ()) -> ModulePlan:
    """A new database: everything wanted, besides what its seed holds."""
    return ModulePlan(install=tuple(sorted(set(wanted) - set(already))))


def plan_next(
    *, wanted: Iterable[str], is_listed: bool, modules: Modules, states: States, applied: Modules, version: str
) -> ModulePlan:
    """A database in use. A module of the primary repository is installed when it appears for the first time (somebody
    may have uninstalled it on purpose later), one that the project lists whenever it is missing."""
    installed = {name for name, (state, _) in states.items() if state in INSTALLED}
    update = {
        name
        for name, module in modules.items()
        if name in installed and _has_changed(name, module, states[name][1], applied, version)
    }
    install = {name for name in wanted if name not in installed and (is_listed or name not in applied)}
    return ModulePlan(tuple(sorted(install)), tuple(sorted(update)))


def vanished(modules: Modules, states: States, applied: Modules) -> list[str]:
    """Custom modules that are installed, and whose code is in no repository any more."""
    return sorted(
        name for name, (state, _) in states.items() if state in INSTALLED and name in applied and name not in modules
    )


def check_dependencies(
    names: Iterable[str], modules: Modules, known: Iterable[str], version: str, *, left_out: Sequence[str] = ()
) -> None:
    """Raises Problem `deployments.module_unknown_dependency` where a custom module that is about to be installed or
    updated depends on something that is nowhere; `deployments.module_left_out` where it may be in one of the platform's
    repositories that had to be left out (their names)."""
    available = {*known, *modules}
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in modules:
            continue
        seen.add(name)
        missing = sorted(set(modules[name]["depends"]) - available)
        if missing:
            details = {"module": name, "missing": ", ".join(missing), "version": version}
            if left_out:
                raise Problem("deployments.module_left_out", repositories=", ".join(left_out), **details)
            raise Problem("deployments.module_unknown_dependency", **details)
        waiting += modules[name]["depends"]


def adapt_version(version: str, series: str) -> str:
    """A manifest's version as Odoo stores it: `1.0` becomes `19.0.1.0` (`adapt_version` of odoo/modules/module.py)."""
    version = version or "1.0"
    return version if version == series or version.startswith(f"{series}.") else f"{series}.{version}"


def _has_changed(name: str, module: Mapping[str, Any], stored: str, applied: Modules, version: str) -> bool:
    if name in applied:
        return applied[name]["hash"] != module["hash"]
    return _numbers(adapt_version(module["version"], version)) > _numbers(stored)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
