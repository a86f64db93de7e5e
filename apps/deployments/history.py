"""Past deployments: what lists show, and how long one usually takes."""

from __future__ import annotations

from statistics import median

from django.db.models import F, Prefetch, Q, QuerySet

from apps.deployments.models import Deployment
from apps.environments.models import Environment
from apps.operations.models import UNFINISHED, OperationStep, Status

# Of how many earlier ones the usual time is the median.
REMEMBERED = 15
# Digits: more than any deployment has, and few enough for Python and PostgreSQL.
LONGEST_NUMBER = 9
FILTERS = {
    "unfinished": ("Under way", Q(operation__status__in=UNFINISHED)),
    "success": ("Success", Q(operation__status=Status.COMPLETED, rolled_back_at=None)),
    "failed": ("Failed", Q(operation__status=Status.FAILED)),
    "cancelled": ("Cancelled", Q(operation__status=Status.CANCELLED)),
    "rolled_back": ("Rolled back", Q(rolled_back_at__isnull=False)),
}


def history(environment: Environment) -> QuerySet[Deployment]:
    """The deployments of an environment, the newest first, with everything that a row shows."""
    return (
        environment.deployments.select_related("operation", "triggered_by", "release")
        .prefetch_related("operation__steps")
        .order_by("-number")
    )


def rows_of(deployments: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """The same deployments for a list, which shows of their steps the state of each and the name of the failed one."""
    steps = OperationStep.objects.only("operation_id", "position", "status", "started_at", "title")
    shown = deployments.prefetch_related(None).prefetch_related(Prefetch("operation__steps", steps))
    return shown.defer("operation__parameters", "operation__data")


def narrowed(
    deployments: QuerySet[Deployment], *, status: str = "", trigger: str = "", words: str = ""
) -> QuerySet[Deployment]:
    """Those of a status (a key of FILTERS), a trigger, and with the words in commit, subject, branch or person."""
    if status in FILTERS:
        deployments = deployments.filter(FILTERS[status][1])
    if trigger:
        deployments = deployments.filter(trigger=trigger.replace("\0", ""))
    words = words.replace("\0", "").strip()
    if words:
        found = Q(commit__startswith=words) | Q(commit_subject__icontains=words) | Q(branch__icontains=words)
        found |= Q(triggered_by__email__icontains=words) | Q(triggered_by__display_name__icontains=words)
        is_number = words.isdecimal() and len(words) <= LONGEST_NUMBER
        deployments = deployments.filter(found | Q(number=int(words)) if is_number else found)
    return deployments


def usual_seconds(deployment: Deployment) -> float | None:
    """How long such a deployment usually takes: the median of the last successful ones of its kind. A first one is
    compared with other first ones of the Odoo version on the same server, a later one with those of its environment.
    None where there was none yet."""
    done = Deployment.objects.filter(operation__status=Status.COMPLETED, is_first=deployment.is_first)
    environment = deployment.environment
    if deployment.is_first:
        same = {"project__odoo_version": environment.project.odoo_version, "server": environment.server_id}
        done = done.filter(**{f"environment__{name}": value for name, value in same.items()})
        # Known from the fifth step on; until then the faster kind is promised to nobody.
        done = done.filter(seeded=deployment.seeded)
    else:
        done = done.filter(environment=environment)
    times = done.exclude(pk=deployment.pk).annotate(took=F("operation__finished_at") - F("operation__started_at"))
    newest = times.order_by("-created_at").values_list("took", flat=True)[:REMEMBERED]
    seconds = [took.total_seconds() for took in newest if took is not None]
    return median(seconds) if seconds else None
