"""Custom modules in a database: a new one, which nobody uses yet, and one in use, which must not be lost.

One in use: the code is loaded without the database first, while the old Odoo serves. Then the old Odoo stops, the
database is kept as a copy beside itself, and Odoo installs and updates. Whatever fails later, up to the last step, the
copy takes its place again: nothing was written meanwhile that could be lost. Odoo's own updates commit as they go, so
without the copy a failed one would leave half of it behind.
"""

from __future__ import annotations

from apps.deployments import admission, installing, seeds, switching
from apps.deployments.context import DeployContext
from apps.deployments.modules import (
    ModulePlan,
    adapt_version,
    check_dependencies,
    plan_first,
    plan_next,
    vanished,
    wanted_modules,
    with_dependencies,
)
from apps.deployments.platform_sources import names_left_out
from apps.deployments.releases import latest_applied
from apps.deployments.sources import modules_of
from apps.environments.runtime_database import copy_database, drop_copy, module_states, put_back, size_megabytes


def plan_of(context: DeployContext) -> ModulePlan:
    """What is installed and updated. Made once, before anything of it is done, and noted."""
    run = context.run
    if "plan" not in run.data:
        plan = _plan(context)
        run.remember(plan={"install": plan.install, "update": plan.update})
    stored = run.data["plan"]
    return ModulePlan(tuple(stored["install"]), tuple(stored["update"]))


def needs_list(context: DeployContext) -> bool | str:
    """Whether Odoo has to read its list of modules anew."""
    data = context.run.data
    if "needs_list" not in data:
        context.run.remember(needs_list=_why_no_list(context))
    return data["needs_list"] or True


def apply_modules(context: DeployContext, plan: ModulePlan) -> None:
    """Installs and updates. Raises Problem `deployments.*_failed`; the undo of the step puts everything back."""
    if context.run.data.get("fills_database"):
        installing.install_modules(context, plan, is_update=False)
        switching.begin_start(context)
        modules = modules_of(context)
        wanted = wanted_modules(context.environment.project.install_modules, modules)
        content = with_dependencies(wanted, modules)
        seeds.keep(context, seeds.key_of(context, content), content, custom=modules)
        return
    _check_first(context, plan)
    _keep_copy(context)
    installing.install_modules(context, plan, is_update=True)


def put_database_back(context: DeployContext) -> None:
    """The kept copy takes the place of the database. Harmless where there is none."""
    if "copy" in context.run.data:
        switching.remove_successor(context)
        if put_back(context.host, context.base_specification, context.run.data["copy"]):
            context.run.info("The database is as it was before its modules were touched.")


def forget_copy(context: DeployContext) -> None:
    """The new version is the one that counts."""
    if "copy" in context.run.data:
        drop_copy(context.host, context.base_specification, context.run.data["copy"])


def _plan(context: DeployContext) -> ModulePlan:
    project = context.environment.project
    modules = modules_of(context)
    wanted = wanted_modules(project.install_modules, modules)
    if context.run.data.get("fills_database"):
        return plan_first(wanted, context.run.data.get("seed_modules", []))
    states, running = _states(context), latest_applied(context.environment)
    applied = running.modules if running else {}
    gone = vanished(modules, states, applied)
    if gone:
        # Odoo starts all the same, with errors where something of theirs is used.
        context.run.warning(f"Installed, and in no repository any more: {', '.join(gone)}. Bring the code back, or")
        context.run.warning("deploy the version before and uninstall them first.")
    return plan_next(
        wanted=wanted,
        is_listed=bool(project.install_modules),
        modules=modules,
        states=states,
        applied=applied,
        version=project.odoo_version,
    )


def _why_no_list(context: DeployContext) -> str:
    """Empty where the list has to be read."""
    if context.run.data.get("fills_database") == "empty":
        return "Odoo read it while its database was installed."
    if plan_of(context):
        return "Odoo reads it at the beginning of the next step."
    modules = modules_of(context)
    if not modules:
        return "There are no custom modules."
    if set(modules) == set(context.run.data.get("seed_modules", [])):
        return "The seed holds it."
    states = _states(context)
    version = context.environment.project.odoo_version
    new = [
        name
        for name, module in modules.items()
        if name not in states or (module["version"] and _differs(states[name], module["version"], version))
    ]
    return "" if new else "It is up to date."


def _differs(state: tuple[str, str], version: str, series: str) -> bool:
    """Only of installed modules the database knows a version."""
    return bool(state[1]) and state[1] != adapt_version(version, series)


def _states(context: DeployContext) -> dict[str, tuple[str, str]]:
    return module_states(context.host, context.base_specification)


def _check_first(context: DeployContext, plan: ModulePlan) -> None:
    """While the old Odoo serves: do the dependencies exist, does the code load, is there room for the copy?"""
    if context.run.data.get("copy"):
        return
    modules, version = modules_of(context), context.environment.project.odoo_version
    check_dependencies(plan.names, modules, _states(context), version, left_out=names_left_out(context))
    names = [name for name in plan.names if name in modules]
    if names:
        installing.check_modules(context, names)
    size = size_megabytes(context.host, context.base_specification)
    admission.check_disk(context.host, context.base_specification, missing_images=[], data_megabytes=size)


def _keep_copy(context: DeployContext) -> None:
    """The old Odoo stops, then the database is kept. Noted before it is done."""
    copy = f"before_{context.run.operation.pk.hex}"
    context.run.remember(copy=copy)
    if "job_modules" in context.run.data or context.run.data.get("copied"):
        return
    switching.stop_predecessor(context)
    copy_database(context.host, context.base_specification, copy)
    context.run.remember(copied=True)
    context.run.info("The old Odoo stands still, and the database is kept as it was.")
