"""Environments whose server is gone for good: deleted in our books, without their server."""

from __future__ import annotations

from typing import Any

from apps.audit import services as audit
from apps.core.exceptions import Conflict
from apps.environments.actions import mark_deleted, mark_purged
from apps.environments.models import Environment, Status
from apps.operations.models import Operation
from apps.servers.models import Server


def work_on(server: Server) -> list[str]:
    """The titles of the operations that are not over, of all environments on the server."""
    on_it = Environment.objects.filter(server=server).values("pk")
    unfinished = Operation.objects.unfinished().filter(subject_type=Environment._meta.label_lower, subject_id__in=on_it)
    return list(unfinished.order_by("created_at").values_list("title", flat=True))


def give_up_environments(*, server: Server, actor: Any) -> list[str]:
    """Marks every environment of the server deleted and its data purged, destroyed ones in their grace period as well;
    returns their names. Call it in a transaction. Raises Conflict `environments.still_at_work`."""
    placed = Environment.objects.filter(server=server, purged_at=None).select_related("project__organization")
    # With the rows held, nobody queues anything more.
    environments = list(placed.select_for_update(of=["self"]).order_by("pk"))
    work = work_on(server)
    if work:
        raise Conflict("environments.still_at_work", work=", ".join(work))
    for environment in environments:
        if environment.status != Status.DELETED:
            mark_deleted(environment)
        mark_purged(environment)
        audit.record(
            action="environment.given_up",
            actor=actor,
            organization_id=environment.project.organization_id,
            target=environment,
            before={"host_name": environment.host_name, "server": server.name},
        )
    return [environment.name for environment in environments]
