"""What the steps of a deployment do first: the settings are checked, and the database is filled."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError

from apps.core.exceptions import Problem
from apps.deployments import admission, database_state, login, passwords, seeds, switching
from apps.deployments.context import DeployContext
from apps.deployments.images import find_image
from apps.deployments.models import Seed
from apps.deployments.modules import wanted_modules, with_dependencies
from apps.deployments.sources import modules_of, sources_of
from apps.deployments.updating import plan_of
from apps.environments import allocation, runtime
from apps.environments.render import EnvironmentSpecification, clean_odoo_parameters, clean_postgres_parameters
from apps.environments.runtime_database import follow_address_statement, run_sql
from apps.environments.runtime_files import open_gate

# Is it needed?


def has_primary_repository(context: DeployContext) -> bool | str:
    return bool(sources_of(context, primary=True)) or "The project has no repository of its own."


def has_other_repositories(context: DeployContext) -> bool | str:
    return bool(sources_of(context, primary=False)) or "There are no further repositories."


def wants_pgbouncer(context: DeployContext) -> bool | str:
    if context.environment.use_pgbouncer:
        return True
    # Where it was switched off, what runs of it goes.
    runtime.ensure_pgbouncer(context.host, context.base_specification)
    return "PgBouncer is switched off for this environment."


def needs_base(context: DeployContext) -> bool | str:
    if context.run.data.get("fills_database") != "empty":
        return "The seed holds it." if context.run.data.get("fills_database") == "seed" else "It is installed already."
    return True


def needs_addons(context: DeployContext) -> bool | str:
    if plan_of(context):
        return True
    return (
        "The seed holds them." if context.run.data.get("seed_modules") else "No module has to be installed or updated."
    )


# Validate.


def check_settings(context: DeployContext) -> None:
    """Everything that can be known before anything is done."""
    environment, server = context.environment, context.environment.server
    if not server.is_ready:
        status = server.get_status_display().lower()
        raise Problem("deployments.server_not_ready", server=server, status=status)
    allocation.check_workers(
        workers=environment.workers,
        max_cron_threads=environment.max_cron_threads,
        memory_megabytes=environment.memory_megabytes,
        use_pgbouncer=environment.use_pgbouncer,
    )
    allocation.check_connections(
        workers=environment.workers,
        max_cron_threads=environment.max_cron_threads,
        db_maxconn=environment.db_maxconn,
        pool_size=environment.pool_size,
        max_connections=environment.max_connections,
        use_pgbouncer=environment.use_pgbouncer,
    )
    try:
        clean_odoo_parameters(environment.odoo_parameters)
        clean_postgres_parameters(environment.postgres_parameters)
    except ValidationError as error:
        raise Problem("deployments.parameter_invalid", words=" ".join(error.messages)) from error
    split = environment.allocation
    context.run.info(
        f"{environment.cpu} CPU, {environment.memory_megabytes} MB: PostgreSQL {split.postgres_memory_megabytes} MB, "
        f"Odoo {split.odoo_memory_megabytes} MB with {environment.workers} workers"
    )


def begin_early(context: DeployContext) -> None:
    """What later steps wait for, and what needs nothing of theirs."""
    for part in ("postgres", "odoo", *(["pgbouncer"] if context.environment.use_pgbouncer else [])):
        context.begin_image(part)
    specification = context.base_specification
    context.begin_early("network", lambda: runtime.ensure_network(context.host, specification))
    context.begin_early("platform_addons", lambda: login.ensure_platform_addons(context.host))
    if not context.environment.admin_password_hash:
        passwords.begin_hash(context)


def check_room(context: DeployContext) -> None:
    """Raises Problem `deployments.disk_too_full` before anything is put on a disk that is nearly full."""
    host = context.host
    parts = ("odoo", "postgres", "pgbouncer")
    missing = [part for part in parts if find_image(host, context.image_reference(part)) is None]
    is_new = not host.files.exists(context.base_specification.directory / "postgres" / "PG_VERSION")
    data = admission.NEW_DATABASE_MEGABYTES if is_new else 0
    disks = admission.check_disk(host, context.base_specification, missing_images=missing, data_megabytes=data)
    context.run.info(f"{disks[0].free} MB free under {disks[0].path}")


# Sources.


def note_commit(context: DeployContext) -> None:
    """The deployment shows the commit of the primary repository."""
    source = next(source for source in context.sources if source["kind"] == "primary")
    deployment = context.deployment
    deployment.branch, deployment.commit = source["branch"], source["commit"]
    deployment.commit_subject = source["subject"]
    deployment.save(update_fields=["branch", "commit", "commit_subject", "updated_at"])


# The database.


def wait_for_network(context: DeployContext) -> None:
    """The environment's own network, with the proxy in it."""
    specification = context.base_specification
    context.wait_for("network", lambda: runtime.ensure_network(context.host, specification))


def settle_database(context: DeployContext) -> str:
    """What is there; leftovers of a deployment that never got to its end are removed."""
    specification, operation = context.base_specification, context.run.operation
    state = database_state.read(context.host, specification, operation.pk)
    if state == database_state.ABANDONED:
        context.run.info("An earlier deployment did not finish this database: starting over.")
        database_state.remove_unused(context.host, specification)
        state = database_state.ABSENT
    if state == database_state.ABSENT:
        database_state.write_installing(context.host, specification, operation.pk)
    return state


def fill_database(context: DeployContext) -> None:
    """A copy of the best seed, made this environment's own in the same go; or an empty database."""
    seed = _choose_seed(context)
    specification = context.specification("postgres").with_release(is_boosted=True)
    if seed is None:
        _begin_pgbouncer(context)
        runtime.ensure_database(context.host, specification)
        context.run.info(f"An empty database with its own role, on {context.image('postgres').reference}")
        return
    # Odoo first: what it imports takes longest.
    _begin_odoo(context)
    container = _database_container(context, specification)
    context.begin_early("database", container)
    seeds.copy(context, seed)
    context.wait_for("database", container)
    # What starts side by side starts late, and Odoo is the one that everybody waits for in the end.
    context.let_end("successor")
    runtime.start_part(context.host, specification, "db")
    _begin_pgbouncer(context)
    runtime.prepare_database(
        context.host,
        specification,
        copied_from=(seed.database_name, seed.role_name),
        more_statements=passwords.personal_sql(context),
    )
    if context.has_begun("successor") and not plan_of(context):
        open_database(context)
        open_gate(context.host, context.specification("odoo"))
    held = f" with {', '.join(seed.modules)}" if seed.modules else ""
    context.run.info(f"A copy of a kept first install{held}, with its own secrets and password")


def _begin_odoo(context: DeployContext) -> None:
    """While the database is prepared: Odoo's container, which imports and waits at its gate."""
    if context.image_is_here("odoo") and context.is_done("platform_addons"):
        switching.begin_successor(context, start=not plan_of(context))


def _begin_pgbouncer(context: DeployContext) -> None:
    """PgBouncer connects when it is asked to, so its server need not be ready."""
    if context.environment.use_pgbouncer and context.image_is_here("pgbouncer"):
        context.begin_early("pgbouncer", _pgbouncer(context))


def _database_container(context: DeployContext, specification: EnvironmentSpecification) -> Callable[[], bool]:
    """PostgreSQL's container, made while its data is copied into place, which a container sees when it starts."""
    return lambda: runtime.ensure_database_container(context.host, specification, begin=False)


def ensure_pgbouncer(context: DeployContext) -> bool:
    """PgBouncer runs with the present settings; True when something changed."""
    return context.wait_for("pgbouncer", _pgbouncer(context))


def _pgbouncer(context: DeployContext) -> Callable[[], bool]:
    host, specification = context.host, context.specification("pgbouncer")
    if context.run.data.get("fills_database"):
        specification = specification.with_release(is_boosted=True)
    return lambda: runtime.ensure_pgbouncer(host, specification)


def make_personal(context: DeployContext) -> None:
    """uuid, secret, address and password of a database that was installed just now."""
    specification = context.base_specification
    statements = passwords.personal_sql(context)
    run_sql(context.host, specification, statements, database=specification.database_name)


def follow_address(context: DeployContext) -> bool:
    """The environment has another address than when its database was filled (it was brought back under another name, or
    the proxy has another port): Odoo's own address follows, unless somebody has set one of their own. True where it
    did. Odoo remembers its address: the container is another one then, because the address is in its digest."""
    environment, specification = context.environment, context.base_specification
    before, now = environment.base_url, environment.url
    if not before or before == now:
        return False
    statement = follow_address_statement(before=before, now=now)
    is_ours = bool(run_sql(context.host, specification, statement, database=specification.database_name))
    if is_ours:
        context.run.info(f"Odoo's own address (web.base.url) is {now} now, instead of {before}.")
    else:
        context.run.info(f"Odoo's own address (web.base.url) was set to something else than {before}, and stays.")
    # Last: until it is stored, whoever goes on does all of this again, to the same end.
    environment.base_url = now
    environment.save(update_fields=["base_url", "updated_at"])
    return is_ours


def is_installed(context: DeployContext) -> bool:
    """True where the database holds Odoo's own tables."""
    return context.run.data.get("fills_database") != "empty" or bool(context.run.data.get("base_installed"))


def open_database(context: DeployContext) -> None:
    """From now on the database is a person's data. Noted before Odoo serves it."""
    if context.run.data.get("fills_database"):
        database_state.write_ready(context.host, context.base_specification)


def abandon_what_was_begun(context: DeployContext) -> None:
    """Odoo's new container, which was begun beside the database, goes, and its database gets its own share of the
    processor. Whoever still makes one of the parts is waited for, or it would be there again."""
    for name in ("successor", "start", "database", "pgbouncer"):
        context.let_end(name)
    switching.remove_successor(context)
    if context.run.data.get("fills_database"):
        runtime.resize(context.host, context.base_specification)


def abandon_database(context: DeployContext) -> None:
    """Removes what a cancelled first deployment has made; a database in use is never touched."""
    specification = context.base_specification
    if database_state.read(context.host, specification, context.run.operation.pk) != database_state.INSTALLING:
        return
    runtime.remove_part(context.host, specification, "pgbouncer")
    database_state.remove_unused(context.host, specification)


def _choose_seed(context: DeployContext) -> Seed | None:
    """Chosen once, and noted before anything is copied: a worker that goes on copies the same."""
    run = context.run
    if "fills_database" in run.data:
        return Seed.objects.filter(pk=run.data.get("seed")).first()
    modules = modules_of(context)
    wanted = with_dependencies(wanted_modules(context.environment.project.install_modules, modules), modules)
    # The image is looked at early; where it is there, its facts are there in a moment.
    for content in [wanted, {}] if wanted else [{}]:
        seed = seeds.find(context, seeds.key_of(context, content))
        if seed is not None and seeds.fits(seed, modules, content):
            run.remember(fills_database="seed", seed=str(seed.pk), seed_modules=sorted(seed.modules))
            context.deployment.seeded = True
            context.deployment.save(update_fields=["seeded", "updated_at"])
            return seed
    run.remember(fills_database="empty", seed=None, seed_modules=[])
    return None
