"""What a folder of source holds for Odoo: modules, and what their manifests say. Nothing of it is ever run."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.exceptions import Problem

MANIFEST = "__manifest__.py"
DEEPEST_FOLDER = 4
MAXIMUM_MANIFEST_BYTES = 2**20
_MODULE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# A path becomes part of a list in odoo.conf: no comma, no line end, nothing that Odoo expands (`~`, `$`).
_FOLDER_NAME = re.compile(r"[\w.+@-]+(?: +[\w.+@-]+)*")
_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "setup"}


@dataclass(frozen=True)
class Module:
    """One Odoo module. `path` is relative to the folder that was searched."""

    name: str
    path: str
    depends: tuple[str, ...]
    version: str
    installable: bool
    auto_install: bool
    external_dependencies: dict[str, tuple[str, ...]]


def is_module_name(name: str) -> bool:
    """True for a technical name that Odoo's command line takes as one word of a list."""
    return _MODULE_NAME.fullmatch(name) is not None


def addons_directories(tree: Path) -> list[str]:
    """The folders that hold modules, relative to `tree` (`.` for itself), the top first, as addons_path needs them;
    without those in `unusable_directories`."""
    return [directory for directory in _directories(tree) if _fits(directory)]


def unusable_directories(tree: Path) -> list[str]:
    """Folders with modules which odoo.conf cannot name."""
    return [directory for directory in _directories(tree) if not _fits(directory)]


def _fits(directory: str) -> bool:
    return all(_FOLDER_NAME.fullmatch(part) for part in Path(directory).parts)


def _directories(tree: Path) -> list[str]:
    found: list[str] = []
    for folder, subfolders, _files in os.walk(tree):
        relative = os.path.relpath(folder, tree)
        depth = 0 if relative == "." else relative.count(os.sep) + 1
        modules = {name for name in subfolders if os.path.isfile(os.path.join(folder, name, MANIFEST))}
        if modules:
            found.append(relative)
        wanted = set() if depth >= DEEPEST_FOLDER else set(subfolders) - modules - _SKIPPED_FOLDERS
        subfolders[:] = sorted(name for name in wanted if not name.startswith("."))
    return found


def manifests(tree: Path) -> list[Module]:
    """All modules in a folder, in the order of addons_path; of two with the same name, the first counts.

    Raises Problem `projects.manifest_invalid` or `projects.module_name_invalid`.
    """
    found: dict[str, Module] = {}
    for directory in addons_directories(tree):
        for path in sorted((tree / directory).iterdir()):
            if (path / MANIFEST).is_file() and path.name not in found:
                found[path.name] = read_manifest(path, relative_to=tree)
    return list(found.values())


def read_manifest(module: Path, *, relative_to: Path) -> Module:
    """One module's manifest, parsed as a literal. Raises Problem as `manifests` does."""
    path = str(module.relative_to(relative_to))
    if not is_module_name(module.name):
        raise Problem("projects.module_name_invalid", module=module.name)
    content = _literal(module / MANIFEST, f"{path}/{MANIFEST}")
    external = _mapping(content, "external_dependencies", path)
    depends = _names(content.get("depends", ()), "depends", path)
    return Module(
        name=module.name,
        path=path,
        depends=depends,
        version=str(content.get("version", "")),
        installable=bool(content.get("installable", True)),
        auto_install=bool(content.get("auto_install", False)),
        external_dependencies={str(kind): _texts(values, str(kind), path) for kind, values in external.items()},
    )


def content_hash(folder: Path) -> str:
    """SHA-256 over names, kinds, execute bits and contents of everything in a folder."""
    total = hashlib.sha256()
    for directory, subfolders, files in os.walk(folder):
        subfolders.sort()
        linked = [name for name in subfolders if os.path.islink(os.path.join(directory, name))]
        for name in sorted([*files, *linked]):
            path = Path(directory, name)
            if path.is_symlink():
                kind, content = "link", os.readlink(path).encode()
            else:
                kind = "program" if path.stat().st_mode & 0o100 else "file"
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").digest()
            total.update(f"{kind}\0{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _literal(path: Path, shown: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAXIMUM_MANIFEST_BYTES:
            raise _invalid(shown, "It is larger than 1 MB.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = ast.literal_eval(path.read_text(encoding="utf-8-sig").strip())
    except SyntaxError as error:
        raise _invalid(shown, f"Line {error.lineno}: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise _invalid(shown, "It is not UTF-8.") from error
    except (ValueError, TypeError, MemoryError, RecursionError) as error:
        raise _invalid(shown, "It must be one plain dictionary, without calls or names.") from error
    if not isinstance(content, dict):
        raise _invalid(shown, "It must be a dictionary.")
    return content


def _mapping(content: dict[str, Any], key: str, path: str) -> dict[Any, Any]:
    value = content.get(key) or {}
    if not isinstance(value, dict):
        raise _invalid(path, f"“{key}” must be a dictionary.")
    return value


def _texts(value: Any, key: str, path: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _invalid(path, f"“{key}” must be a list of texts.")
    return tuple(value)


def _names(value: Any, key: str, path: str) -> tuple[str, ...]:
    names = _texts(value, key, path)
    for name in names:
        if not is_module_name(name):
            raise _invalid(path, f"“{key}” holds {name!r}, which is no module name.")
    return names


def _invalid(path: str, reason: str) -> Problem:
    return Problem("projects.manifest_invalid", path=path, reason=reason)
