"""Configuration, image and the end of a deployment: what its steps do around Odoo itself."""

from __future__ import annotations

from apps.core.exceptions import Problem
from apps.deployments import health, login
from apps.deployments.context import DeployContext
from apps.deployments.updating import forget_copy
from apps.domains import services as domains
from apps.environments.runtime_files import configuration_digest, odoo_entries, write_entries

_WAIT_FOR_IMAGE = 0.3


def write_configuration(context: DeployContext) -> None:
    """odoo.conf for serving and for installing, and its digest in the release."""
    specification = context.specification("odoo")
    if not context.has_begun("successor"):
        write_entries(context.host, specification, odoo_entries(specification))
    digest = configuration_digest(specification)
    context.release.configuration_digest = digest
    context.release.save(update_fields=["configuration_digest", "updated_at"])
    context.run.info(f"odoo.conf {digest} for Odoo {specification.odoo_version}")


def bring_image(context: DeployContext) -> None:
    """Waits for the image and shows how far it is."""
    run, progress = context.run, context.pulls["odoo"]
    while not context.image_is_here("odoo") and not context.has_failed("image_odoo"):
        context.begin_image("odoo")
        if progress.total:
            run.progress(progress.done // 2**20, progress.total // 2**20, "MB")
        run.sleep(_WAIT_FOR_IMAGE)
    image = context.image("odoo")
    release = context.release
    release.image_digest, release.image_id = image.digest, image.image_id
    release.save(update_fields=["image_digest", "image_id", "updated_at"])
    context.wait_for("platform_addons", lambda: login.ensure_platform_addons(context.host))
    run.info(f"{image.reference} is {image.digest}, {image.size_megabytes} MB, runs as {image.uid}:{image.gid}")
    if not release.configuration_digest:
        write_configuration(context)


def request_certificate(context: DeployContext) -> None:
    """Asks for what the domains app can give; what is missing is a warning, because HTTP works."""
    health.begin_database_question(context)
    domains.request_certificate(environment=context.environment, host=context.host, run=context.run)


def clean_up(context: DeployContext) -> None:
    """The kept copy of the database, and configurations that no container mounts any more."""
    forget_copy(context)
    specification = context.specification("odoo")
    kept = {f"odoo-{configuration_digest(specification)}", f"odoo-{configuration_digest(specification, job=True)}"}
    folder = specification.directory / "config"
    for name in context.host.files.list(folder):
        if name.startswith("odoo-") and name not in kept:
            try:
                context.host.files.remove_tree(folder / name)
            except Problem as problem:
                # It holds passwords of before: the next deployment tries again, and nobody is told that it is gone.
                context.run.warning(f"The configuration {name} could not be removed yet: {problem}")
