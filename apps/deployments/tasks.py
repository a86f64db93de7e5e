"""What Celery calls. Each may come twice, late, or never."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache

from apps.core.exceptions import Problem
from apps.environments.models import Environment

SECONDS_BETWEEN_CHECKS = 300


def ask_for_password_check(environment: Environment) -> None:
    """Rings for a look at the administrator's password, at most once in five minutes."""
    if cache.add(f"deployments.password_check.{environment.pk}", 1, SECONDS_BETWEEN_CHECKS):
        check_admin_password.delay(str(environment.pk))


@shared_task(name="deployments.check_admin_password")
def check_admin_password(environment_id: str) -> None:
    """Looks whether somebody has changed the administrator's first password."""
    from apps.deployments import services

    environment = Environment.objects.select_related("server__ssh_key").filter(pk=environment_id).first()
    if environment is None:
        return
    try:
        services.check_admin_password(environment=environment)
    except Problem:
        # A server that is away is told elsewhere; the next visit asks again.
        return
