"""Seeds: the first install of a key is kept, stopped and whole; later environments start from a copy.

A key is everything that the content of a fresh database depends on. Where custom modules are part of it, so is their
organization. A custom module can take the place of one of Odoo's own, and nobody sees from outside what Odoo's modules
bring along: so a seed knows what its install really held (see `fits`). A copy is a real copy: files that two tenants
shared could be changed by one of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.deployments.context import DeployContext
from apps.deployments.images import find_image
from apps.deployments.models import Seed
from apps.deployments.modules import INSTALLED
from apps.environments import runtime
from apps.environments.render_specification import ROLE_NAME
from apps.environments.runtime_database import module_states
from apps.servers import paths
from apps.servers.host import Host
from apps.servers.models import Server

SEEDS_PER_SERVER = 12
# A seed that was used a moment ago may be being copied now.
KEPT_AFTER_USE = timedelta(hours=1)

# Odoo's data folder belongs to the customer's code, which may have run before: no link in it is followed, and what is
# long is done beside it, in the environment's own folder, which is root's. A script whose connection was cut goes on by
# itself, beside the one that tries again: so each works under a name of its own, and what is whole already is left
# alone. The spare copy is taken by renaming, which of two takers one can do. The copy takes the place of the empty
# folder in one step: PostgreSQL's container is made meanwhile, and needs the folder there.
_COPY = """set -e
seed=$1 directory=$2 database=$3 part=$2/postgres.part.$$
[ ! -e "$directory/postgres/PG_VERSION" ] || exit 0
rm -rf "$directory"/postgres.part.*
rm -rf "$directory"/filestore.part.*
mkdir -p "$directory/data"
cd -P "$directory/data"
data=$(pwd -P)
[ ! -L filestore ] || rm -f filestore
[ -d filestore ] || mkdir filestore 2> /dev/null || [ -d filestore ]
if [ -d "$seed/filestore" ]; then
  cp -a "$seed/filestore" "$directory/filestore.part.$$"
  cd -P filestore
  [ "$(pwd -P)" = "$data/filestore" ]
  rm -rf "./$database"
  mv -T "$directory/filestore.part.$$" "./$database" || true
fi
cd /
mv -T "$seed.spare" "$part" 2> /dev/null || cp -a "$seed/postgres" "$part"
mv -T "$part" "$directory/postgres" 2> /dev/null || rm -rf "$part"
[ -e "$directory/postgres/PG_VERSION" ]
"""
# Goes on by itself when the connection is closed, at the lowest priority.
_SPARE = """seed=$1 part=$1.spare.$$
[ -e "$seed.spare" ] && exit 0
[ -d "$seed/postgres" ] || exit 0
nohup sh -c 'nice -n 19 cp -a "$1/postgres" "$2" && sync "$2" && mv -T "$2" "$1.spare" || rm -rf "$2"' \
  sh "$seed" "$part" > /dev/null 2>&1 < /dev/null &
"""
# Somebody who goes on after a lost connection may start PostgreSQL while this copies it: it writes pg_control when it
# starts, and such a copy is none.
_KEEP = """set -e
directory=$1 database=$2 seed=$3 part=$3.part.$$
rm -rf "$seed".part.*
[ ! -e "$directory/postgres/postmaster.pid" ]
mkdir -p -m 0700 "$part"
stopped=$(sha256sum < "$directory/postgres/global/pg_control")
cp -a "$directory/postgres" "$part/postgres"
if [ -e "$directory/postgres/postmaster.pid" ] ||
  [ "$(sha256sum < "$directory/postgres/global/pg_control")" != "$stopped" ]; then
  rm -rf "$part"
  exit 1
fi
cd -P "$directory/data"
data=$(pwd -P)
if [ -e filestore ] || [ -L filestore ]; then
  cd -P filestore
  [ "$(pwd -P)" = "$data/filestore" ]
  [ ! -L "$database" ]
  if [ -d "$database" ]; then cp -a "./$database" "$part/filestore"; fi
fi
cd /
mv -T "$part" "$seed" 2> /dev/null || rm -rf "$part"
du -sm "$seed" | cut -f1
"""


def key_of(context: DeployContext, modules: dict[str, str]) -> str | None:
    """The key of a database with these custom modules (name to content hash; empty: base alone). None while the image
    of Odoo is not on the server: then there is no seed for it either."""
    found = find_image(context.host, context.image_reference("odoo"))
    postgres = context.image("postgres")
    if found is None:
        return None
    environment = context.environment
    content = {
        "image": found["Id"],
        "version": environment.project.odoo_version,
        "postgres": postgres.image_id,
        "language": environment.language,
        "demo": environment.demo_data,
        "modules": modules,
        "organization": str(environment.project.organization_id) if modules else "",
    }
    wide = environment.odoo_parameters.get("server_wide_modules")
    if modules and wide:
        # What every process loads takes part in the installing; base is installed without any parameter.
        content["server_wide_modules"] = str(wide)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def find(context: DeployContext, key: str | None) -> Seed | None:
    """A whole seed with this key on the environment's server, whose folder is really there."""
    seed = Seed.objects.filter(server=context.environment.server, key=key, status=Seed.Status.READY).first()
    if seed is None:
        return None
    if not context.host.files.exists(_folder(seed) / "postgres" / "PG_VERSION"):
        seed.delete()
        return None
    return seed


def fits(seed: Seed, modules: Iterable[str], content: dict[str, str]) -> bool:
    """False where the seed's install held a module from elsewhere (one of Odoo's own) for which these custom modules
    have code of the same name, or where nobody noted what it held, as of old. Base is installed without any custom
    code, by every deployment."""
    return not content or (bool(seed.installed) and not set(modules) & set(seed.installed) - set(content))


def copy(context: DeployContext, seed: Seed) -> None:
    """Puts a copy of the seed in the place of the environment's data, unless one is there already."""
    specification = context.base_specification
    context.host.run_script(_COPY, _folder(seed), specification.directory, specification.database_name, timeout=600)
    Seed.objects.filter(pk=seed.pk).update(last_used_at=clock.now())


def keep(context: DeployContext, key: str | None, modules: dict[str, str], *, custom: Iterable[str] = ()) -> bool:
    """Keeps the environment's fresh database as a seed; False where one is there, or somebody else is making it, or
    where custom modules (`custom`: all that there are) were installed besides those of the key.

    PostgreSQL is stopped cleanly while its files are copied, and started again.
    """
    if key is None:
        return False
    states = module_states(context.host, context.specification("postgres"))
    installed = sorted(name for name, (state, _) in states.items() if state in INSTALLED)
    if set(custom) & set(installed) - set(modules):
        return False
    remove_unlisted(context.host, context.environment.server)
    seed = _reserve(context, key, modules, installed)
    if seed is None:
        return False
    specification = context.specification("postgres")
    runtime.stop_part(context.host, specification, "db")
    arguments = (specification.directory, specification.database_name, _folder(seed))
    try:
        size = context.host.run_script(_KEEP, *arguments, timeout=600).stdout
    finally:
        runtime.start_part(context.host, specification, "db")
    Seed.objects.filter(pk=seed.pk).update(status=Seed.Status.READY, size_megabytes=int(size.strip() or 0))
    context.run.info(f"Kept as a seed for later environments ({size.strip()} MB).")
    remove_oldest(context.host, context.environment.server)
    return True


def make_spare(context: DeployContext) -> None:
    """Begins a copy for the next deployment from the same seed, in the background of the server; returns at once."""
    seed = Seed.objects.filter(pk=context.run.data.get("seed"), status=Seed.Status.READY).first()
    if seed is not None:
        context.host.run_script(_SPARE, _folder(seed))


def remove_oldest(host: Host, server: Server) -> None:
    """Forgets the seeds that were not used for the longest time, beyond SEEDS_PER_SERVER."""
    ready = Seed.objects.filter(server=server, status=Seed.Status.READY)
    _remove(host, ready.order_by(F("last_used_at").desc(nulls_last=True), "-created_at")[SEEDS_PER_SERVER:])


def remove_unlisted(host: Host, server: Server) -> None:
    """Forgets the seeds of which nobody noted what they held: they never fit, and stand in the place of one that
    would."""
    ready = Seed.objects.filter(server=server, status=Seed.Status.READY)
    _remove(host, ready.filter(installed=[]).exclude(modules={}))


def _remove(host: Host, seeds: Iterable[Seed]) -> None:
    recent = clock.now() - KEPT_AFTER_USE
    for seed in seeds:
        if (seed.last_used_at or seed.created_at) < recent:
            seed.delete()
            for folder in (_folder(seed), _folder(seed).with_name(f"{_folder(seed).name}.spare")):
                host.files.remove_tree(folder)


def _reserve(context: DeployContext, key: str, modules: dict[str, str], installed: list[str]) -> Seed | None:
    """The row that says who makes the seed; taken over from an operation that is over and did not finish."""
    environment, operation = context.environment, context.run.operation
    values: dict[str, Any] = {
        "status": Seed.Status.MAKING,
        "made_by": operation,
        "organization": environment.project.organization if modules else None,
        "odoo_version": environment.project.odoo_version,
        "image_id": context.image("odoo").image_id,
        "postgres_image_id": context.image("postgres").image_id,
        "language": environment.language,
        "demo_data": environment.demo_data,
        "modules": modules,
        "installed": installed,
        "database_name": environment.database_name,
        "role_name": ROLE_NAME,
    }
    with transaction.atomic():
        seed, is_new = Seed.objects.select_for_update(of=["self"]).get_or_create(
            server=environment.server, key=key, defaults=values
        )
        if is_new or (seed.status == Seed.Status.MAKING and seed.made_by_id == operation.pk):
            return seed
        maker = seed.made_by
        if seed.status == Seed.Status.MAKING and (maker is None or maker.is_finished):
            for name, value in values.items():
                setattr(seed, name, value)
            seed.save()
            return seed
    return None


def _folder(seed: Seed) -> PurePosixPath:
    """Named by the database in it as well: what another maker of the same key left behind, whose row is gone, is never
    taken for this one."""
    return paths.seeds_directory() / f"{seed.key}-{seed.database_name}"
