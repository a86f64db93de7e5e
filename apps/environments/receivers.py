"""Answers to the layers below, which do not know environments."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.dispatch import receiver

from apps.core.exceptions import Problem
from apps.environments import defaults, giving_up
from apps.environments.changes import mark_changed
from apps.environments.models import Environment
from apps.platform.models import EnvironmentSize
from apps.platform.signals import environment_size_checked
from apps.projects.models import Project
from apps.projects.signals import project_deleting, project_in_use, source_changed
from apps.servers.models import Server
from apps.servers.signals import removal_requested, server_forgotten, server_given_up, work_asked_for


@receiver(environment_size_checked, dispatch_uid="environments.size_checked")
def check_environment_size(sender: Any, size: EnvironmentSize, **_: Any) -> None:
    """What staff set is what an environment can have."""
    try:
        defaults.check_size(size)
    except Problem as problem:
        raise ValidationError({"workers": f"{problem.title} {problem.what_to_do}"}) from problem


@receiver(project_in_use, dispatch_uid="environments.project_in_use")
def name_environments_of_project(sender: Any, project: Project, **_: Any) -> list[str]:
    """A project stays while something of it is on a server, destroyed environments in their grace period included."""
    return [_describe(environment) for environment in Environment.objects.filter(project=project, purged_at=None)]


@receiver(project_deleting, dispatch_uid="environments.project_deleting")
def forget_purged(sender: Any, project: Project, **_: Any) -> None:
    """Of purged environments only rows are left."""
    Environment.objects.filter(project=project, purged_at__isnull=False).delete()


@receiver(source_changed, dispatch_uid="environments.source_changed")
def note_change_of_source(sender: Any, project: Project, reason: str, **_: Any) -> None:
    """Every environment of the project differs now from what it runs."""
    for environment in Environment.objects.existing().filter(project=project).select_for_update(of=["self"]):
        mark_changed(environment, reason)


@receiver(removal_requested, dispatch_uid="environments.server_removal")
def object_to_removal(sender: Any, server: Server, **_: Any) -> str | None:
    """A server stays while it carries environments, or the data of destroyed ones."""
    names = [_describe(environment) for environment in Environment.objects.filter(server=server, purged_at=None)]
    return f"environments are placed on it ({', '.join(names)})" if names else None


@receiver(work_asked_for, dispatch_uid="environments.server_work")
def name_work(sender: Any, server: Server, **_: Any) -> str | None:
    """The way to a server does not change under an operation that uses it."""
    titles = giving_up.work_on(server)
    return f"{', '.join(titles)} under way" if titles else None


@receiver(server_given_up, dispatch_uid="environments.server_given_up")
def give_up(sender: Any, server: Server, actor: Any, **_: Any) -> list[str]:
    """What a lost server carried is lost with it."""
    return giving_up.give_up_environments(server=server, actor=actor)


@receiver(server_forgotten, dispatch_uid="environments.server_forgotten")
def let_go_of_purged(sender: Any, server: Server, **_: Any) -> None:
    """The rows of purged environments outlive their server."""
    Environment.objects.filter(server=server, purged_at__isnull=False).update(server=None)


def _describe(environment: Environment) -> str:
    if environment.destroyed_at and environment.purge_after:
        return f"{environment.name} (destroyed, kept until {environment.purge_after:%Y-%m-%d})"
    return environment.name
