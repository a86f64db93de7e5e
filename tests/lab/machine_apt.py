"""This machine's own apt configuration (mirror, keys, proxy), read at run time for the machines the lab makes."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import LabError, execute

SUITE = "bookworm"
"""Debian 12: the distribution of the lab's servers."""

CERTIFICATES = Path("/usr/local/share/ca-certificates")


@dataclass(frozen=True)
class Source:
    """One archive of apt's: what a `deb` line says."""

    address: str
    suite: str
    components: tuple[str, ...]
    signed_by: str

    @property
    def line(self) -> str:
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {option}{self.address} {self.suite} {' '.join(self.components)}"


def debian_sources() -> list[Source]:
    """The archives of this machine which serve `SUITE` (with its updates and security), the main one first.

    Raises `LabError` when there is none: the lab cannot be made without a Debian archive.
    """
    found: list[Source] = []
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if file.suffix == ".sources":
            found += _read_stanzas(file.read_text())
        elif file.suffix == ".list" and file.exists():
            found += _read_lines(file.read_text())
    wanted = [source for source in found if source.suite == SUITE or source.suite.startswith(f"{SUITE}-")]
    wanted.sort(key=lambda source: source.suite != SUITE)
    if not wanted or wanted[0].suite != SUITE:
        raise LabError(f"no archive of Debian {SUITE} in this machine's apt configuration")
    return wanted


def configure_apt(root: Path) -> None:
    """Give the file system `root` this machine's archives, apt proxies and own certificate authorities."""
    sources = root / "etc/apt/sources.list"
    sources.write_text("".join(f"{source.line}\n" for source in debian_sources()))
    for source in debian_sources():
        if source.signed_by.startswith("/"):
            key = root / source.signed_by.lstrip("/")
            key.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.signed_by, key)
    (root / "etc/apt/apt.conf.d/90machine").write_text(_network_settings())
    if CERTIFICATES.is_dir():
        shutil.copytree(CERTIFICATES, root / CERTIFICATES.relative_to("/"), dirs_exist_ok=True)


def _network_settings() -> str:
    """Proxies and TLS settings as apt itself reports them."""
    dump = execute(["apt-config", "dump"]).stdout.splitlines()
    wanted = re.compile(r"^Acquire::(https?|ftp)::\S*(Proxy|CaInfo|Verify-)\S* ", re.IGNORECASE)
    return "".join(f"{line}\n" for line in dump if wanted.match(line))


LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<address>\S+)\s+(?P<suite>\S+)\s+(?P<components>[^#]+)")


def _read_lines(text: str) -> list[Source]:
    found = []
    for match in filter(None, map(LINE.match, text.splitlines())):
        options = dict(word.split("=", 1) for word in (match["options"] or "").split() if "=" in word)
        components = tuple(match["components"].split())
        found.append(Source(match["address"], match["suite"], components, options.get("signed-by", "")))
    return found


def _read_stanzas(text: str) -> list[Source]:
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if line.strip() and not line.startswith("#")]
        fields = {name.strip().lower(): value.split() for name, _, value in (line.partition(":") for line in lines)}
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        signed_by = " ".join(fields.get("signed-by", []))
        found += [
            Source(address, suite, tuple(fields.get("components", [])), signed_by if signed_by.startswith("/") else "")
            for address in fields.get("uris", [])
            for suite in fields.get("suites", [])
        ]
    return found
