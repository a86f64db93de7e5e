"""How long events are kept: each organization says it for its own, the platform for the rest."""

from __future__ import annotations

from datetime import timedelta

from apps.audit import retention
from apps.core import clock
from apps.orgs.models import Organization
from apps.platform.current import current


def delete_expired_events() -> int:
    """Deletes what is older than its organization keeps; what belongs to none, or to one that is gone, is kept as long
    as the platform says. Returns how many."""
    now, days = clock.now(), dict(Organization.objects.values_list("pk", "audit_retention_days"))
    deleted = sum(
        retention.delete_expired(before=now - timedelta(days=kept), organization_id=organization_id)
        for organization_id, kept in days.items()
    )
    return deleted + retention.delete_expired(before=now - current().audit_retention, but=days)
