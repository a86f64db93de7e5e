"""Whoever changes what somebody was given says so here, inside the transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction

from apps.orgs import rights_cache
from apps.orgs.signals import rights_changed


def changing(user_ids: Iterable[uuid.UUID], organization_id: uuid.UUID) -> None:
    """These people's rights in the organization change with the transaction that is open: from the commit on nobody is
    answered from what was cached before, and open pages are told (`signals.rights_changed`)."""
    people = frozenset(user_ids)
    if not people:
        return
    name = rights_cache.begin_change(people, organization_id)

    def told() -> None:
        rights_cache.end_change(people, organization_id, name)
        rights_changed.send_robust(sender=None, user_ids=people, organization_id=organization_id)

    transaction.on_commit(told)
