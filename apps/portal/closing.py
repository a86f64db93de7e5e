"""The deletion of organizations whose grace period is over. It knows every layer, because everything goes."""

from __future__ import annotations

import logging

from django.db import transaction

from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict
from apps.deployments.models import Deployment
from apps.domains.models import BaseDomain, DnsRecord
from apps.environments.actions import request_purge
from apps.environments.models import Environment
from apps.operations.models import UNFINISHED, Operation, Trigger
from apps.orgs.leaving import objections
from apps.orgs.models import Organization
from apps.orgs.services import lock_organization
from apps.projects.models import Project
from apps.servers.models import Server, SSHKey

logger = logging.getLogger(__name__)


def delete_expired() -> int:
    """Deletes the organizations whose day has come; returns how many. One that cannot go yet is tried again the next
    time: what is left of its destroyed environments is taken off its servers first."""
    due = Organization.objects.filter(delete_after__lte=clock.now()).order_by("delete_after")
    return sum(_delete(organization) for organization in due)


def _delete(organization: Organization) -> bool:
    with transaction.atomic():
        locked = lock_organization(organization)
        if not locked.is_leaving or locked.delete_after > clock.now():
            return False  # it was kept meanwhile
        obstacle = _obstacle(locked)
        if obstacle:
            logger.warning("The organization %s is not deleted yet: %s", locked.pk, obstacle)
            return False
        audit.record(
            action="organization.deleted",
            actor=locked.deletion_requested_by,
            organization_id=locked.pk,
            target=locked,
            before={"name": locked.name, "slug": locked.slug},
        )
        _delete_rows(locked)
    return True


def _obstacle(organization: Organization) -> str:
    names = objections(organization)
    if names:
        return f"there is {', '.join(names)}"
    if Operation.objects.filter(organization=organization, status__in=UNFINISHED).exists():
        return "operations are under way"
    left = Environment.objects.filter(project__organization=organization, purged_at=None)
    for environment in left:
        try:
            request_purge(environment=environment, trigger=Trigger.SCHEDULE)
        except Conflict:
            logger.info("The environment %s is purged already.", environment.pk)
    return f"{len(left)} destroyed environments are being purged" if left else ""


def _delete_rows(organization: Organization) -> None:
    """From the top down, because rows above protect those below; servers are forgotten."""
    environments = Environment.objects.filter(project__organization=organization)
    BaseDomain.objects.filter(organization=organization).delete()
    DnsRecord.objects.filter(provider__organization=organization).delete()
    Deployment.objects.filter(environment__in=environments).delete()
    environments.delete()
    Operation.objects.filter(organization=organization).delete()
    Project.objects.filter(organization=organization).delete()
    Server.objects.filter(organization=organization).delete()
    SSHKey.objects.filter(organization=organization).delete()
    organization.delete()
