"""Odoo's own installs and updates, each as a container of its own that outlives the worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from apps.core.exceptions import Problem
from apps.deployments import odoo_log
from apps.deployments.context import DeployContext
from apps.deployments.login import SCRIPTS_FOLDER
from apps.deployments.modules import INSTALLED, ModulePlan
from apps.deployments.platform_sources import names_left_out
from apps.environments import runtime
from apps.environments.render import PART_LABEL, odoo_command, odoo_environment, odoo_mounts
from apps.environments.render_specification import CONFIGURATION_FILE, EnvironmentSpecification
from apps.environments.runtime_containers import docker_mounts
from apps.environments.runtime_database import module_states
from apps.environments.runtime_files import configuration_digest, odoo_entries, write_entries
from apps.operations.models import Level
from apps.servers.host.jobs import run_container_job, stop_container_job

BASE_TIMEOUT = 1800
MODULES_TIMEOUT = 6 * 3600
LINES_SHOWN = 60


def install_base(context: DeployContext) -> None:
    """`-i base` into the empty database, without the customer's code, parameters and variables: the result is kept as
    a seed for other projects too. Raises Problem `deployments.base_install_failed`."""
    plain = context.specification("odoo").with_release(addons=(), odoo_parameters={}, variables={})
    write_entries(context.host, plain, odoo_entries(plain))
    language = context.environment.language
    arguments = ["-i", "base", "--stop-after-init", "--no-http"]
    if language != "en_US":
        arguments.append(f"--load-language={language}")
    exit_code = run_odoo(context, "base", odoo_command(*arguments), timeout=BASE_TIMEOUT, specification=plain)
    _check(context, exit_code, ["base"], "deployments.base_install_failed")


def install_modules(context: DeployContext, plan: ModulePlan, *, is_update: bool) -> None:
    """`-i` and `-u` of a plan. Raises Problem `deployments.install_failed` or `deployments.update_failed`."""
    command = odoo_command(*plan.arguments(), "--stop-after-init", "--no-http")
    exit_code = run_odoo(context, "modules", command, timeout=MODULES_TIMEOUT)
    _check(context, exit_code, plan.names, "deployments.update_failed" if is_update else "deployments.install_failed")


def check_modules(context: DeployContext, names: Sequence[str]) -> None:
    """Lets Odoo load the code of modules without any database, while the version before still serves. Raises Problem
    `deployments.module_does_not_load` with Odoo's own traceback in the log."""
    exit_code = run_odoo(context, "check", _script("check_modules.py", ",".join(names)), timeout=600)
    if exit_code != 0:
        raise Problem(
            "deployments.module_does_not_load", modules=", ".join(names), reason=odoo_log.reason(_errors(context))
        )


def update_module_list(context: DeployContext) -> None:
    """Odoo's list of available modules, as the menu Apps shows it."""
    command = _script("update_module_list.py", context.environment.database_name)
    exit_code = run_odoo(context, "list", command, timeout=600)
    if exit_code != 0:
        reason = odoo_log.reason(_errors(context))
        raise Problem("deployments.install_failed", modules="the list of modules", exit_code=exit_code, reason=reason)


def run_odoo(
    context: DeployContext,
    name: str,
    command: Sequence[str],
    *,
    timeout: float,
    specification: EnvironmentSpecification | None = None,
) -> int:
    """Runs a command in the image of the release, with its source and configuration unless another `specification`
    says otherwise, in the environment's network; its exit code. Its lines go to the log with Odoo's own levels."""
    specification = specification or context.specification("odoo")
    allocation = specification.allocation
    return run_container_job(
        context.host,
        context.run,
        name=name,
        image=context.image("odoo").image_id,
        command=command,
        mounts=docker_mounts(odoo_mounts(specification, configuration_digest(specification, job=True))),
        network=specification.network_name,
        environment=odoo_environment(specification),
        memory=allocation.odoo_memory_megabytes + allocation.pgbouncer_memory_megabytes,
        cpu=specification.limit_cpu(allocation.cpu),
        user=context.image("odoo").for_container.user,
        labels={PART_LABEL: "job"},
        line_level=odoo_log.LevelReader(),
        timeout=timeout,
        is_confined=True,
    )


def stop_jobs(context: DeployContext) -> None:
    """Stops whatever of this deployment still installs."""
    for name in ("base", "check", "list", "modules"):
        stop_container_job(context.host, context.run, name=name)


def _script(name: str, *arguments: str) -> tuple[str, ...]:
    """A script of ours, run by Odoo's own Python."""
    return ("env", "python3", str(PurePosixPath(SCRIPTS_FOLDER) / name), CONFIGURATION_FILE, *arguments)


def _check(context: DeployContext, exit_code: int, names: Sequence[str], code: str) -> None:
    """An exit code of 0 is not enough: Odoo skips modules that it cannot install, with no more than a line. Where the
    disk was full that is the reason, and no module's fault."""
    errors = _errors(context)
    # A worker that was lost while it kept the seed has left PostgreSQL standing still.
    runtime.start_part(context.host, context.base_specification, "db")
    states = module_states(context.host, context.base_specification) if exit_code == 0 else {}
    missing = [name for name in names if states.get(name, ("", ""))[0] not in INSTALLED]
    fatal = [line for line in errors if odoo_log.is_fatal(line)]
    if exit_code == 0 and not missing and not fatal:
        return
    if any(odoo_log.NO_SPACE in line for line in errors):
        raise Problem("servers.disk_full", path="PostgreSQL's data or Odoo's files")
    reason = odoo_log.reason(errors)
    if exit_code == 0 and missing and not reason:
        reason = f"Odoo left out {', '.join(missing)}."
    left_out = names_left_out(context)
    if left_out:
        reason += f" It may be in what could not be read of the platform ({', '.join(left_out)}): ask platform staff."
    raise Problem(code, modules=", ".join(names), exit_code=exit_code, reason=reason)


def _errors(context: DeployContext) -> list[str]:
    """The ERROR and CRITICAL lines of this step with their tracebacks, from the stored log: an earlier worker may
    have written them."""
    context.run.flush()
    lines = context.run.step.lines.filter(level=Level.ERROR).order_by("-sequence")
    return list(reversed(lines.values_list("text", flat=True)[:LINES_SHOWN]))
