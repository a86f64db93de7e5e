"""A deployment: sixteen steps from an environment's settings to an Odoo that answers.

Recovery. Every step looks first and does what is missing, so a worker that goes on after another was lost repeats at
most one step. Until the route changes, nothing that serves is touched, with one exception: while modules are updated
the old Odoo stands still, and a copy of the database is kept. When a step fails, or on a cancel, the steps are undone
newest first: the route leads back, the database is put back, the old Odoo goes on, the new container goes. A first
deployment has nothing to put back: what it made stays until the next one, which starts over where the database was
never used. The last step cannot be cancelled: from there on the new version is the one that counts.
"""

from __future__ import annotations

from apps.deployments import (
    configuring,
    database_state,
    health,
    installing,
    platform_sources,
    preparing,
    seeds,
    sources,
    switching,
)
from apps.deployments.context import DeployContext, open_deployment
from apps.deployments.finishing import deployment_cancelled, deployment_failed, deployment_succeeded, retry_deployment
from apps.deployments.updating import apply_modules, needs_list, plan_of, put_database_back
from apps.environments import runtime
from apps.operations.models import Status
from apps.operations.pipeline import Pipeline, Step, register


def queue_task(context: DeployContext) -> None:
    """The server is reached; what needs nothing else begins."""
    deployment, environment = context.deployment, context.environment
    who = deployment.triggered_by or "the platform"
    context.run.info(f"Deployment {deployment.number} of {environment} ({deployment.get_trigger_display()}, {who})")
    context.run.info(f"Release {context.release.number} on {environment.server}: {context.image_reference('odoo')}")


def validate(context: DeployContext) -> None:
    """Settings, disk and proxy are as they must be; images and network begin."""
    preparing.check_settings(context)
    switching.choose_slot(context)
    preparing.begin_early(context)
    preparing.check_room(context)


def clone_repository(context: DeployContext) -> None:
    """The commit of the project's own repository is on the server."""
    for position, source in sources.sources_of(context, primary=True):
        sources.clone(context, position, source)
        preparing.note_commit(context)


def clone_modules(context: DeployContext) -> None:
    """The commits of all other repositories are on the server, those of the platform last."""
    for position, source in sources.sources_of(context, primary=False):
        if not source.is_platform:
            sources.clone(context, position, source)
    platform_sources.clone_all(context)


def create_database(context: DeployContext) -> None:
    """PostgreSQL runs with the environment's database: the one in use, a copy of a seed, or an empty one."""
    preparing.wait_for_network(context)
    state = preparing.settle_database(context)
    if state == database_state.READY:
        is_restarted = runtime.ensure_database(context.host, context.specification("postgres"))
        if is_restarted:
            context.run.info("PostgreSQL was started again with its new settings.")
        if not preparing.follow_address(context) and not is_restarted:
            context.run.skip("The database is there already.")
        return
    preparing.fill_database(context)


def deploy_pgbouncer(context: DeployContext) -> None:
    """PgBouncer runs with the present settings."""
    if not preparing.ensure_pgbouncer(context):
        context.run.skip("PgBouncer runs with these settings already.")
    context.run.info(f"Pool of {context.environment.pool_size} connections, {context.environment.pool_mode} mode")


def generate_config(context: DeployContext) -> None:
    """odoo.conf is written, in a folder named by its content."""
    if not context.image_is_here("odoo"):
        context.run.info("odoo.conf is written once the image is there: it names the image's own folders too.")
        return
    configuring.write_configuration(context)


def pull_image(context: DeployContext) -> None:
    """Odoo's image is on the server, and the release names it by its content."""
    configuring.bring_image(context)


def create_container(context: DeployContext) -> None:
    """Odoo's new container is there; it starts at once where no module has to be installed or updated."""
    if switching.has_predecessor(context) and switching.is_current(context) and not plan_of(context):
        context.run.remember(keeps_container=True)
        switching.start_current(context)
        context.run.skip("Image, code, configuration and variables are what runs already.")
    switching.create_successor(context)
    if preparing.is_installed(context) and not plan_of(context):
        preparing.open_database(context)
        switching.start_successor(context)
        context.run.info("Odoo starts.")


def install_base(context: DeployContext) -> None:
    """Odoo's own tables, straight into PostgreSQL; the result is kept as a seed and made this environment's own."""
    installing.install_base(context)
    if not plan_of(context):
        switching.begin_start(context)
    seeds.keep(context, seeds.key_of(context, {}), {})
    preparing.make_personal(context)
    context.run.remember(base_installed=True)


def update_module_list(context: DeployContext) -> None:
    """The menu Apps knows the modules of this release."""
    installing.update_module_list(context)


def install_addons(context: DeployContext) -> None:
    """Custom modules are installed, and updated where they changed."""
    apply_modules(context, plan_of(context))


def configure_routing(context: DeployContext) -> None:
    """The new Odoo runs, answers where an old one serves still, and the environment's name leads to it."""
    if not context.run.data.get("keeps_container"):
        preparing.open_database(context)
        switching.start_successor(context)
    health.begin_database_question(context)
    if switching.has_predecessor(context):
        switching.wait_for_answer(context)
    switching.switch_route(context)


def request_certificate(context: DeployContext) -> None:
    """TLS for the environment's name, where a certificate can be had."""
    configuring.request_certificate(context)


def health_check(context: DeployContext) -> None:
    """HTTP, database and websocket answer through the proxy."""
    for sentence in health.wait_until_healthy(context, switching.serving_name(context)):
        context.run.info(sentence)


def complete(context: DeployContext) -> None:
    """The new version is the one that counts: the old container and the kept copy go."""
    switching.take_over(context)
    configuring.clean_up(context)
    seeds.make_spare(context)
    context.run.info(f"{context.environment.host_name} serves release {context.release.number}.")


def undo_database(context: DeployContext) -> None:
    """What was begun beside it goes. A cancelled first deployment leaves no database behind; one in use is never
    touched."""
    preparing.abandon_what_was_begun(context)
    if context.run.outcome == Status.CANCELLED:
        preparing.abandon_database(context)


def undo_container(context: DeployContext) -> None:
    """The new container goes."""
    switching.remove_successor(context)


def undo_base(context: DeployContext) -> None:
    """The job stops; the half-filled database goes with the step that made it."""
    installing.stop_jobs(context)


def undo_addons(context: DeployContext) -> None:
    """The database is as it was before the modules were touched, and the old Odoo goes on."""
    installing.stop_jobs(context)
    put_database_back(context)
    switching.start_predecessor(context)


def undo_routing(context: DeployContext) -> None:
    """The name leads to the old Odoo again."""
    switching.put_route_back(context)


STEPS = (
    Step("queue", "Queue task", queue_task, timeout=120),
    Step("validate", "Validate configuration", validate, timeout=120),
    Step(
        "clone_repository",
        "Clone primary repository",
        clone_repository,
        needed=preparing.has_primary_repository,
        timeout=1800,
        survives="local",
    ),
    Step(
        "clone_modules",
        "Clone module repositories",
        clone_modules,
        needed=preparing.has_other_repositories,
        timeout=1800,
        survives="local",
    ),
    Step("create_database", "Create PostgreSQL database", create_database, undo_database),
    Step("deploy_pgbouncer", "Deploy PgBouncer", deploy_pgbouncer, needed=preparing.wants_pgbouncer),
    Step("generate_config", "Generate odoo.conf", generate_config, timeout=120),
    Step("pull_image", "Pull Docker image", pull_image, timeout=3600),
    Step("create_container", "Create Odoo container", create_container, undo_container),
    Step(
        "install_base",
        "Install database",
        install_base,
        undo_base,
        needed=preparing.needs_base,
        timeout=2400,
        survives="container",
    ),
    Step(
        "update_module_list",
        "Update module list",
        update_module_list,
        undo_base,
        needed=needs_list,
        survives="container",
    ),
    Step(
        "install_addons",
        "Install custom addons",
        install_addons,
        undo_addons,
        needed=preparing.needs_addons,
        timeout=7 * 3600,
        survives="container",
    ),
    Step("configure_routing", "Configure Traefik", configure_routing, undo_routing),
    Step("request_certificate", "Request certificate", request_certificate, timeout=300),
    Step("health_check", "Health check", health_check, timeout=900),
    Step("complete", "Mark complete", complete, final=True),
)

DEPLOY = register(
    Pipeline(
        kind="environment.deploy",
        title="Deploy",
        steps=STEPS,
        open_context=open_deployment,
        on_success=deployment_succeeded,
        on_failure=deployment_failed,
        on_cancelled=deployment_cancelled,
        view_code="project.deployments.view",
        cancel_code="project.deployments.cancel",
        retry_code="project.environments.deploy",
        retry=retry_deployment,
    )
)
