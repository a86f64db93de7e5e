"""Where things are shown. Addresses speak: what one is about stands in them."""

from __future__ import annotations

from apps.environments.models import Environment
from apps.operations.models import Operation
from apps.projects.models import Project
from apps.servers.models import Server


def project_address(project: Project) -> str:
    """The page of a project."""
    return f"/o/{project.organization.slug}/p/{project.slug}/"


def environment_address(environment: Environment) -> str:
    """The page of an environment; its parts stand below it (`deployments/`, `logs/`, `settings/`)."""
    return f"{project_address(environment.project)}{environment.slug}/"


def server_address(server: Server) -> str:
    """The page of a server."""
    return f"/o/{server.organization.slug}/servers/{server.slug}/"


def operation_address(operation: Operation) -> str:
    """The page of an operation; one that is a deployment leads on to its deployment."""
    return f"/operations/{operation.pk}/"


def subject_address(subject: object) -> str:
    """The page of what an operation is about; empty when that is gone or has none."""
    if isinstance(subject, Environment):
        return environment_address(subject)
    if isinstance(subject, Project):
        return project_address(subject)
    return server_address(subject) if isinstance(subject, Server) else ""
