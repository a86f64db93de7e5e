"""Environments: made and changed. What is done to them on their server stands in `actions.py`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.environments import naming, network
from apps.environments.actions import locked, request_deployment
from apps.environments.capacity import ensure_fits, lock_server
from apps.environments.changes import mark_changed
from apps.environments.defaults import default_numbers, default_settings
from apps.environments.models import Environment, EnvironmentType, Status
from apps.environments.quotas import allocation_of, ensure_quota
from apps.environments.signals import environment_created
from apps.environments.states import ensure_editable
from apps.environments.tuning import TUNED, check_allocation, clean_parameters, tune
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.orgs.quotas import announced, lock_quota
from apps.projects.models import Project
from apps.servers.models import Server

ATTEMPTS = 50
PLAIN = ("name", "branch", "auto_deploy")
APPLIED_BY_DEPLOYMENT = {
    "branch": "Branch",
    "use_pgbouncer": "PgBouncer",
    "pool_mode": "Pool mode",
    "odoo_parameters": "odoo.conf",
    "postgres_parameters": "PostgreSQL parameters",
    "workers": "Workers",
    "max_cron_threads": "Cron threads",
    "db_maxconn": "db_maxconn",
    "pool_size": "Pool size",
    "max_connections": "max_connections",
}
_AUDITED = ["name", *APPLIED_BY_DEPLOYMENT, "auto_deploy", "cpu", "memory_megabytes", "disk_megabytes"]


def build_environment(
    *, project: Project, environment_type: str, server: Server | None = None, **chosen: Any
) -> Environment:
    """An environment as it would be created, not stored and without its names: for the wizard's preview, and the first
    half of `create_environment`. Raises ValidationError, Problem `environments.too_many_*`."""
    if environment_type not in EnvironmentType.values:
        raise ValidationError({"environment_type": "Choose development, staging or production."})
    if server is not None and server.organization_id != project.organization_id:
        raise ValidationError({"server": "Choose a server of this organization."})
    values = default_settings(environment_type) | {name: value for name, value in chosen.items() if value is not None}
    values |= default_numbers(environment_type, values)
    tuned = {name: values.pop(name) for name in TUNED if name in values}
    environment = Environment(
        project=project,
        environment_type=environment_type,
        server=server,
        tuned_fields=sorted(tuned),
        branch=values.pop("branch", "") or project.default_branch,
        name=values.pop("name", "") or naming.default_name(project, environment_type),
        **values,
    )
    check_allocation(environment)
    tune(environment, tuned)
    clean_parameters(environment)
    return environment


@announced
def create_environment(
    *,
    project: Project,
    environment_type: str,
    actor: User,
    server: Server | None = None,
    deploy: bool = False,
    **chosen: Any,
) -> Environment:
    """A new environment, pending. `chosen` may hold any of name, branch, auto_deploy, cpu (cores), memory_megabytes,
    disk_megabytes, use_pgbouncer, pool_mode, language, demo_data, odoo_parameters, postgres_parameters, and the numbers
    in TUNED, which are derived from the allocation otherwise. With `deploy` its first deployment is queued as well.

    Raises ValidationError; Conflict `orgs.quota_exceeded`, `orgs.environment_quota_exceeded`, `orgs.leaving`,
    `environments.over_capacity`, `servers.not_ready`, `servers.network_range_full`;
    Problem `environments.too_many_connections`, `environments.too_many_workers`, `environments.pool_too_large`.
    """
    wanted_slug = slugify(chosen.get("name") or "").removeprefix(f"{project.slug}-")
    with transaction.atomic():
        environment = build_environment(project=project, environment_type=environment_type, server=server, **chosen)
        ensure_quota(environment)
        if server is not None:
            place(environment, server)
        environment.database_name = str(environment.pk)
        _store_under_free_names(environment, wanted_slug)
        audit.record(
            action="environment.created",
            actor=actor,
            organization_id=project.organization_id,
            target=environment,
            after=audit.snapshot(environment, ["name", "environment_type", "host_name", *_AUDITED]),
        )
        environment_created.send(Environment, environment=environment, actor=actor)
        if deploy:
            request_deployment(environment=environment, actor=actor)
    return environment


@transaction.atomic
def update_environment(*, environment: Environment, actor: User, **changes: Any) -> Environment:
    """Changes what was not said to be fixed; most of it is applied by the next deployment, which is then noted. A tuned
    number that is set to None is derived again. CPU, memory and disk are changed by `resize`.

    Raises ValidationError, Conflict `environments.not_editable`, `environments.server_is_fixed`, and what
    `create_environment` raises.
    """
    environment = locked(environment)
    ensure_editable(environment)
    before = audit.snapshot(environment, _AUDITED)
    if "server" in changes and changes["server"] != environment.server:
        _move(environment, changes["server"])
    for name in (*PLAIN, "use_pgbouncer", "pool_mode", "odoo_parameters", "postgres_parameters"):
        if name in changes:
            setattr(environment, name, changes[name])
    chosen = {name: getattr(environment, name) for name in environment.tuned_fields}
    chosen |= {name: changes[name] for name in TUNED if name in changes}
    tune(environment, {name: value for name, value in chosen.items() if value is not None})
    clean_parameters(environment)
    environment.full_clean(validate_unique=False, validate_constraints=False)
    environment.save()
    _note(environment, actor, before)
    return environment


@announced
@transaction.atomic
def resize(
    *, environment: Environment, cpu: Decimal, memory_megabytes: int, disk_megabytes: int, actor: User
) -> Operation | None:
    """Changes the allocation. CPU and memory of the running containers change at once, by the operation that is
    returned (None when nothing runs yet or nothing changed); numbers that follow from the allocation need a deployment.

    Raises ValidationError; Conflict `orgs.quota_exceeded`, `orgs.environment_quota_exceeded`,
    `environments.over_capacity`, `environments.not_editable`, `operations.task_in_progress`; Problem
    `environments.too_many_*`.
    """
    lock_quota(environment.project.organization, for_something_new=False)
    server = lock_server(environment.server) if environment.server_id else None
    environment = locked(environment)
    ensure_editable(environment)
    before = audit.snapshot(environment, _AUDITED)
    previous, had = _allocation_of(environment), allocation_of(environment)
    environment.cpu, environment.memory_megabytes = cpu, memory_megabytes
    environment.disk_megabytes = disk_megabytes
    if _allocation_of(environment) == previous:
        return None
    check_allocation(environment)
    ensure_quota(environment, before=had)
    if server is not None:
        ensure_fits(server, leaving_out=environment, **_wanted(environment))
    tune(environment, {name: getattr(environment, name) for name in environment.tuned_fields})
    environment.save()
    _note(environment, actor, before)
    if environment.status == Status.PENDING or server is None:
        return None
    return operations.queue(
        kind="environment.resize",
        subject=environment,
        organization=environment.organization,
        parameters={"previous": previous, "wanted": _allocation_of(environment)},
        lock_key=environment.lock_key,
        created_by=actor,
        title=f"Resize {environment.name}",
    )


def restore_allocation(environment: Environment, previous: dict[str, Any], *, save: bool = True) -> None:
    """Puts an allocation back whose change failed on the server."""
    environment.cpu = Decimal(previous["cpu"])
    environment.memory_megabytes = previous["memory_megabytes"]
    environment.disk_megabytes = previous["disk_megabytes"]
    tune(environment, {name: getattr(environment, name) for name in environment.tuned_fields})
    if save:
        environment.save()


def _allocation_of(environment: Environment) -> dict[str, Any]:
    return {
        "cpu": str(Decimal(environment.cpu).normalize()),
        "memory_megabytes": environment.memory_megabytes,
        "disk_megabytes": environment.disk_megabytes,
    }


def _wanted(environment: Environment) -> dict[str, Any]:
    return {
        "cpu": environment.cpu,
        "memory_megabytes": environment.memory_megabytes,
        "disk_megabytes": environment.disk_megabytes,
    }


def place(environment: Environment, server: Server) -> None:
    """Promises the server's resources and a network to the environment. Call it inside a transaction, and store the
    environment in it.

    Raises Conflict `servers.not_ready`, `environments.over_capacity`, `servers.network_range_full`.
    """
    server = lock_server(server)
    if not server.is_ready:
        raise Conflict("servers.not_ready", name=server.name, reason=server.status_reason or server.status)
    ensure_fits(server, leaving_out=environment, **_wanted(environment))
    environment.server = server
    environment.subnet = network.first_free_subnet(server)
    environment.addresses = network.addresses_in(environment.subnet)


def _move(environment: Environment, server: Server | None) -> None:
    if environment.status != Status.PENDING or Operation.objects.about(environment).exists():
        raise Conflict("environments.server_is_fixed", environment=environment.name)
    if server is not None and server.organization_id != environment.project.organization_id:
        raise ValidationError({"server": "Choose a server of this organization."})
    environment.server, environment.subnet, environment.addresses = None, "", {}
    if server is not None:
        place(environment, server)


def _store_under_free_names(environment: Environment, wanted_slug: str) -> None:
    """Stores under the first free names. Somebody else may take one between the look and the write: the constraints
    decide, and the next ones are tried."""
    for _ in range(ATTEMPTS):
        environment.slug = naming.free_slug(environment.project, environment.environment_type, wanted_slug)
        environment.host_name = naming.free_host_name(environment.project, environment.environment_type)
        environment.full_clean(exclude=["subnet"], validate_unique=False, validate_constraints=False)
        try:
            with transaction.atomic():
                environment.save(force_insert=True)
            return
        except IntegrityError as error:
            if "environment_host_name" not in str(error) and "environment_slug" not in str(error):
                raise
    raise Problem("environments.name_unavailable", project=environment.project.name)


def _note(environment: Environment, actor: User, before: dict[str, Any]) -> None:
    after = audit.snapshot(environment, _AUDITED)
    changed = [name for name in _AUDITED if before[name] != after[name]]
    if not changed:
        return
    audit.record(
        action="environment.updated",
        actor=actor,
        organization_id=environment.project.organization_id,
        target=environment,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    for name in changed:
        if name in APPLIED_BY_DEPLOYMENT:
            mark_changed(environment, APPLIED_BY_DEPLOYMENT[name])
