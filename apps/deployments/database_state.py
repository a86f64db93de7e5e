"""Whether an environment's database holds anything yet: a small file beside it on the server says so.

`installing <operation>`: that operation is filling it; nobody has used it, so another operation starts over.
`ready`: it is a person's data from now on, and nothing of a deployment ever removes it. No file beside a data folder:
the data came from elsewhere (a restore, a clone), and is ready too.
"""

from __future__ import annotations

from apps.core.exceptions import Problem
from apps.environments.render import EnvironmentSpecification
from apps.environments.runtime import SUCCESSOR, remove_part
from apps.environments.runtime_files import STATE_FILE
from apps.environments.runtime_trash import forget_unused, set_unused_aside
from apps.servers.host import Host

ABSENT, INSTALLING, ABANDONED, READY = "absent", "installing", "abandoned", "ready"


def read(host: Host, specification: EnvironmentSpecification, operation_id: object) -> str:
    """`absent`, `installing` (by this operation), `abandoned` (by another one) or `ready`."""
    try:
        words = host.files.read(specification.directory / STATE_FILE).decode().split()
    except Problem as problem:
        if problem.code != "servers.file_not_found":
            raise
        words = []
    if words[:1] == ["installing"]:
        return INSTALLING if words[1:] == [str(operation_id)] else ABANDONED
    if words == ["ready"] or host.files.exists(specification.directory / "postgres" / "PG_VERSION"):
        return READY
    return ABSENT


def write_installing(host: Host, specification: EnvironmentSpecification, operation_id: object) -> None:
    """Noted before anything is put into the database."""
    host.files.make_directory(specification.directory, mode=0o711)
    host.files.write(specification.directory / STATE_FILE, f"installing {operation_id}\n")


def write_ready(host: Host, specification: EnvironmentSpecification) -> None:
    """Noted before Odoo serves it for the first time. What was started over is not needed any more."""
    host.files.write(specification.directory / STATE_FILE, "ready\n")
    forget_unused(host, specification)


def remove_unused(host: Host, specification: EnvironmentSpecification) -> None:
    """Sets a database aside that no Odoo ever served: into the trash, in one step each, until the one that is made
    instead is ready. Refuses (RuntimeError) any other one."""
    words = host.files.read(specification.directory / STATE_FILE).decode().split()
    if words[:1] != ["installing"]:
        raise RuntimeError("A database in use is never removed by a deployment.")
    for part in (SUCCESSOR, "db"):
        # An Odoo that waits at its gate would wait at that of the folder which goes.
        remove_part(host, specification, part)
    # With the configuration goes its gate.
    set_unused_aside(host, specification, ("postgres", "data/filestore", "config"))
    host.files.remove(specification.directory / STATE_FILE)
