"""How many servers an organization has, held against its quota."""

from __future__ import annotations

from apps.orgs.models import Organization
from apps.orgs.quotas import Allocation, ensure_within, lock_quota
from apps.servers.models import Server


def ensure_server_quota(organization: Organization) -> None:
    """Refuses one server too many, and keeps the count as it is until the transaction ends.

    Raises Conflict `orgs.quota_exceeded`, `orgs.leaving`.
    """
    quota = lock_quota(organization)
    used = Allocation(servers=Server.objects.filter(organization=organization).count())
    ensure_within(quota, used=used, wanted=Allocation(servers=1))
