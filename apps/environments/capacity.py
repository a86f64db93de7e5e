"""What a server has promised, and what it can still promise. Allocations count, running or stopped; destroyed
environments release theirs at once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from apps.core.exceptions import Conflict
from apps.core.templatetags.core import megabytes
from apps.environments.models import Environment
from apps.platform.current import current
from apps.servers.models import Server

# Of the disk, what PostgreSQL, Docker's images and the host need to go on working.
DISK_RESERVE_PERCENT = 10


@dataclass(frozen=True)
class Resource:
    """One kind of thing that a server has: how much there is to promise, and how much is promised."""

    name: str
    unit: str
    total: Decimal
    allocated: Decimal

    @property
    def free(self) -> Decimal:
        """What can still be promised; never negative."""
        return max(self.total - self.allocated, Decimal(0))

    @property
    def percent(self) -> int:
        """How much is promised, in percent of the total."""
        return round(self.allocated * 100 / self.total) if self.total else 100

    @property
    def is_exceeded(self) -> bool:
        """More is promised than there is: the machine or what staff allow became smaller."""
        return self.allocated > self.total

    @property
    def text(self) -> str:
        """`3 of 8 cores`, `6 GB of 15.5 GB`."""
        if self.unit == "MB":
            return f"{megabytes(self.allocated)} of {megabytes(self.total)}"
        return f"{self.allocated.normalize():f} of {_amount(self.total, self.unit)}"

    @property
    def free_text(self) -> str:
        """`5 cores`, `9.5 GB`."""
        return megabytes(self.free) if self.unit == "MB" else _amount(self.free, self.unit)

    @property
    def is_nearly_full(self) -> bool:
        """From 80 % on people are warned."""
        return self.percent >= 80


@dataclass(frozen=True)
class Capacity:
    """Everything that a server has to promise."""

    cpu: Resource
    memory: Resource
    disk: Resource
    environments: Resource

    def __iter__(self):
        return iter((self.cpu, self.memory, self.disk, self.environments))


def lock_server(server: Server) -> Server:
    """The server's row, locked until the transaction ends: who counts and then promises holds this, so that two at
    once never promise the same."""
    return Server.objects.select_for_update(of=["self"]).get(pk=server.pk)


def server_capacity(server: Server, *, leaving_out: Environment | None = None) -> Capacity:
    """What is promised on a server, without one environment (which is about to change) if given."""
    environments = Environment.objects.existing().filter(server=server)
    if leaving_out is not None:
        environments = environments.exclude(pk=leaving_out.pk)
    sums = environments.aggregate(
        cpu=Coalesce(Sum("cpu"), Decimal(0)),
        memory=Coalesce(Sum("memory_megabytes"), 0),
        disk=Coalesce(Sum("disk_megabytes"), 0),
        count=Count("pk"),
    )
    facts = server.facts
    memory = max(int(facts.get("memory_megabytes", 0)) - current().server_reserved_megabytes, 0)
    disk = int(facts.get("disk_total_megabytes", 0)) * (100 - DISK_RESERVE_PERCENT) // 100
    return Capacity(
        cpu=Resource("CPU", "cores", Decimal(facts.get("cpu_count", 0)) * server.cpu_overcommit, sums["cpu"]),
        memory=Resource("memory", "MB", Decimal(memory), Decimal(sums["memory"])),
        disk=Resource("disk", "MB", Decimal(disk), Decimal(sums["disk"])),
        environments=Resource("environments", "", Decimal(current().environments_per_server), Decimal(sums["count"])),
    )


def ensure_fits(
    server: Server, *, cpu: Decimal, memory_megabytes: int, disk_megabytes: int, leaving_out: Environment | None = None
) -> None:
    """Refuses what the server cannot promise. Call it while the server's row is locked.

    Raises Conflict `environments.over_capacity`, which names the resource and the numbers.
    """
    capacity = server_capacity(server, leaving_out=leaving_out)
    wanted = (cpu, Decimal(memory_megabytes), Decimal(disk_megabytes), Decimal(1))
    for resource, amount in zip(capacity, wanted, strict=True):
        if amount > resource.free:
            raise Conflict(
                "environments.over_capacity",
                server=server.name,
                resource=resource.name,
                wanted=_amount(amount, resource.unit),
                free=_amount(resource.free, resource.unit),
                total=_amount(resource.total, resource.unit),
                allocated=_amount(resource.allocated, resource.unit),
            )


def _amount(value: Decimal, unit: str) -> str:
    return f"{value.normalize():f} {unit}".strip()
