"""Writing down that something happened."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.core import clock
from apps.core.masking import mask
from apps.environments.models import Environment
from apps.notifications.bell import ring_on_commit
from apps.notifications.kinds import get_kind
from apps.notifications.models import Event
from apps.operations.persist import is_connection_error
from apps.orgs.models import Organization
from apps.projects.models import Project

logger = logging.getLogger(__name__)


def publish(
    *,
    kind: str,
    organization: Organization,
    title: str,
    key: str,
    project: Project | None = None,
    environment: Environment | None = None,
    actor: Any = None,
    data: dict[str, Any] | None = None,
    path: str = "",
) -> bool:
    """Writes an event into the transaction of what happened, and rings when that is committed.

    `key` names the happening: a second event with the same key changes nothing, and False is returned. `path` is the
    page in the portal; `data` goes to webhooks, masked, and holds no secrets. Raises KeyError for an unknown kind;
    that it could not be written is logged, and never breaks what happened (a lost connection excepted, which breaks
    that anyway).
    """
    get_kind(kind)
    project = environment.project if environment is not None else project
    event = Event(
        organization_id=organization.pk,
        project_id=project.pk if project is not None else None,
        actor_id=getattr(actor, "pk", None),
        kind=kind,
        key=key[:200],
        title=mask(title)[:300],
        path=path[:300],
        payload=payload_of(organization=organization, project=project, environment=environment, data=data or {}),
        happened_at=clock.now(),
    )
    try:
        with transaction.atomic():
            Event.objects.bulk_create([event], ignore_conflicts=True)
            is_new = Event.objects.filter(pk=event.pk).exists()
    except Exception as error:
        if is_connection_error(error):
            raise
        logger.exception("The event %s (%s) could not be written", kind, key)
        return False
    if is_new:
        ring_on_commit()
    return is_new


def payload_of(
    *,
    organization: Organization,
    project: Project | None,
    environment: Environment | None,
    data: dict[str, Any],
) -> dict[str, Any]:
    """What webhooks get, as it is now."""
    return {
        "organization": {"id": str(organization.pk), "name": organization.name, "slug": organization.slug},
        "project": _project(project) if project is not None else None,
        "environment": _environment(environment) if environment is not None else None,
        "data": _plain(data),
    }


def body_of(event: Event) -> dict[str, Any]:
    """The whole of a raw webhook's body."""
    payload = event.payload
    return {
        "id": str(event.pk),
        "type": event.kind,
        "created_at": iso(event.happened_at),
        "organization": payload.get("organization"),
        "project": payload.get("project"),
        "environment": payload.get("environment"),
        "actor": {"id": str(event.actor.pk), "name": str(event.actor)} if event.actor else None,
        "title": event.title,
        "data": payload.get("data", {}),
        "url": portal_url(event.path) if event.path else None,
    }


def iso(moment: datetime) -> str:
    """`2026-11-22T03:00:00Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def portal_url(path: str) -> str:
    """The whole address of a page of the portal."""
    return settings.PORTAL_URL.rstrip("/") + path


def _project(project: Project) -> dict[str, Any]:
    return {"id": str(project.pk), "name": project.name, "slug": project.slug}


def _environment(environment: Environment) -> dict[str, Any]:
    return {
        "id": str(environment.pk),
        "name": environment.name,
        "slug": environment.slug,
        "env_type": environment.environment_type,
        "status": str(environment.status),
        "url": environment.url,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | float | type(None)):
        return value
    if isinstance(value, datetime):
        return iso(value)
    return mask(str(value))
