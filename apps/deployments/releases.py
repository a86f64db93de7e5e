"""Releases: begun by a deployment, filled by its steps, fixed once they were applied."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from apps.core import clock
from apps.deployments.models import Deployment, Release
from apps.environments.models import Environment
from apps.platform.current import odoo_image, postgres_image


def begin(deployment: Deployment, *, reuse: str | None = None) -> Release:
    """The deployment's release: the one that it has already, an earlier one (`reuse`), or a new one."""
    if deployment.release_id:
        return deployment.release
    environment = deployment.environment
    with transaction.atomic():
        # Numbers are given out one after the other.
        Environment.objects.select_for_update(of=["self"], no_key=True).get(pk=environment.pk)
        release = environment.releases.filter(pk=reuse).first() if reuse else None
        deployment.release = release or _create(environment)
        deployment.save(update_fields=["release", "updated_at"])
    return deployment.release


def latest_applied(environment: Environment) -> Release | None:
    """The release that runs now, as far as we know."""
    return environment.releases.exclude(applied_at=None).order_by("-applied_at").first()


def store_source(release: Release, source: dict[str, Any]) -> None:
    """Adds or replaces one repository of the release, keeping the order of priority."""
    others = [known for known in release.sources if known["repository_id"] != source["repository_id"]]
    release.sources = sorted([*others, source], key=lambda one: one["position"])
    release.save(update_fields=["sources", "updated_at"])


def mark_applied(release: Release, modules: dict[str, Any]) -> None:
    """The release runs: with these custom modules in this state. The newest applied one is the one that runs."""
    release.modules = modules
    release.applied_at = clock.now()
    release.save(update_fields=["modules", "applied_at", "updated_at"])


def _create(environment: Environment) -> Release:
    last = environment.releases.aggregate(last=Max("number"))["last"] or 0
    project = environment.project
    version = project.odoo_version
    return Release.objects.create(
        environment=environment,
        number=last + 1,
        odoo_version=version,
        image=project.image or odoo_image(version),
        postgres_image=postgres_image(version),
    )
