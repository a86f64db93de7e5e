"""Folders and configuration of an environment on its host, written in one go with owners and modes."""

from __future__ import annotations

import hashlib
import io
import secrets
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from apps.environments.render_odoo import odoo_conf
from apps.environments.render_postgres import pg_hba, pgbouncer_ini, pgbouncer_userlist
from apps.environments.render_specification import GATE_FILE, EnvironmentSpecification, Image
from apps.servers.host import Host

STATE_FILE = "database-state"
# Odoo's data folder, whose content the customer's code may replace by links at any moment.
_DATA = "data/"
# Folder of all environments $1, this one $2, then folder, owner and mode of what lies in Odoo's data folder. All others
# lie in folders of root's. The shell stands in the folder that it has looked at: no link is followed. A seed may be
# copied at the same time, whose script makes the same folder.
WRITE = """set -eu
tar -x -C "$1" -f -
cd -P "$1/$2"
home=$(pwd -P)
shift 2
while [ $# -gt 0 ]; do
  cd -P "$home/data"
  [ ! -L "$1" ] || rm -f "$1"
  [ -d "$1" ] || mkdir "$1" 2> /dev/null || [ -d "$1" ]
  cd -P "$1"
  [ "$(pwd -P)" = "$home/data/$1" ]
  chown "$2" .
  chmod "$3" .
  shift 3
done
"""


@dataclass(frozen=True)
class Entry:
    """A folder (`content` is None) or a file, below the environment's folder."""

    path: str
    mode: int
    image: Image | None = None
    content: str | None = None


def write_entries(host: Host, specification: EnvironmentSpecification, entries: Sequence[Entry]) -> None:
    """Writes everything with one command. The contents travel through its input, never through its arguments."""
    inside = [entry for entry in entries if entry.path.startswith(_DATA)]
    arguments = ["sh", "-c", WRITE, "sh", specification.directory.parent, specification.identifier]
    for entry in inside:
        owner = f"{entry.image.uid}:{entry.image.gid}" if entry.image else "0:0"
        arguments += [entry.path.removeprefix(_DATA), owner, f"{entry.mode:o}"]
    with host.stream_into(arguments, timeout=60) as stream:
        stream.write(_archive(specification, [entry for entry in entries if entry not in inside]))


def base_entries(specification: EnvironmentSpecification) -> list[Entry]:
    """The environment's own folder. Only root looks into it; each part gets its own below."""
    return [Entry("", 0o711), Entry("config", 0o711)]


def database_entries(specification: EnvironmentSpecification) -> list[Entry]:
    """PostgreSQL's data folder and its access rules. The superuser's password is thrown away: it is only asked for
    when a data folder is made, and connections over the network never reach the superuser."""
    image = specification.postgres
    return [
        *base_entries(specification),
        Entry("postgres", 0o700, image),
        Entry("config/db", 0o700, image),
        Entry("config/db/pg_hba.conf", 0o600, image, pg_hba(specification)),
        Entry("config/db/superuser-password", 0o600, image, secrets.token_hex(32) + "\n"),
    ]


def pgbouncer_entries(specification: EnvironmentSpecification) -> list[Entry]:
    """PgBouncer's configuration."""
    image = specification.pgbouncer
    return [
        *base_entries(specification),
        Entry("config/pgbouncer", 0o700, image),
        Entry("config/pgbouncer/pgbouncer.ini", 0o600, image, pgbouncer_ini(specification)),
        Entry("config/pgbouncer/userlist.txt", 0o600, image, pgbouncer_userlist(specification)),
    ]


def odoo_entries(specification: EnvironmentSpecification) -> list[Entry]:
    """Odoo's data folder and its two configurations (serving, and installing), in a folder named by their digest."""
    image = specification.odoo
    folder = f"config/odoo-{configuration_digest(specification)}"
    job = f"config/odoo-{configuration_digest(specification, job=True)}"
    return [
        *base_entries(specification),
        Entry("data", 0o750, image),
        Entry("data/filestore", 0o750, image),
        Entry("data/sessions", 0o700, image),
        Entry(folder, 0o700, image),
        Entry(f"{folder}/odoo.conf", 0o600, image, odoo_conf(specification)),
        Entry(job, 0o700, image),
        Entry(f"{job}/odoo.conf", 0o600, image, odoo_conf(specification, job=True)),
    ]


def open_gate(host: Host, specification: EnvironmentSpecification) -> None:
    """Lets the Odoo with this configuration go on to its database."""
    folder = specification.directory / "config" / f"odoo-{configuration_digest(specification)}"
    if not host.files.exists(folder / GATE_FILE):
        host.files.write(folder / GATE_FILE, "", mode=0o644)


def configuration_digest(specification: EnvironmentSpecification, *, job: bool = False) -> str:
    """Names an odoo.conf by its content."""
    return hashlib.sha256(odoo_conf(specification, job=job).encode()).hexdigest()[:16]


def digests(entries: Sequence[Entry]) -> dict[str, str]:
    """The content of configuration files in short, for the digest of the container which mounts them."""
    texts = {entry.path: entry.content for entry in entries if entry.content and "password" not in entry.path}
    return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}


def _archive(specification: EnvironmentSpecification, entries: Sequence[Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            path = f"{specification.identifier}/{entry.path}".rstrip("/")
            member = tarfile.TarInfo(path)
            member.mode = entry.mode
            member.uid, member.gid = (entry.image.uid, entry.image.gid) if entry.image else (0, 0)
            data = (entry.content or "").encode()
            if entry.content is None:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
