"""The two changes that the trail knows: events grow too old, and a person asks to be forgotten.

The database refuses every other change. It lets these through because their transaction says which one it is; see the
trigger in migrations/0002_kept.py.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from apps.audit.models import Event

BATCH = 5000
# The least that is kept; the trigger knows it too.
MINIMUM_DAYS = 30
ERASED = "Erased person"
_DELETE = """
DELETE FROM audit_event WHERE id IN (
    SELECT id FROM audit_event WHERE created_at < %s AND {organization} ORDER BY created_at LIMIT %s
)"""


def delete_expired(*, before: datetime, organization_id: uuid.UUID | None = None, but: Iterable[uuid.UUID] = ()) -> int:
    """Deletes the events of one organization that are older than `before`; without one those of the platform, and of
    all organizations except `but`. Returns how many. Events of the last MINIMUM_DAYS are never deleted."""
    if organization_id is not None:
        condition, values = "organization_id = %s", [organization_id]
    else:
        condition, values = "(organization_id IS NULL OR NOT organization_id = ANY(%s))", [list(but)]
    statement, deleted = _DELETE.format(organization=condition), 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            _say(cursor, "oecsh.audit_expired_before", before.isoformat())
            cursor.execute(statement, [before, *values, BATCH])
            deleted += cursor.rowcount
            done = cursor.rowcount < BATCH
            _say(cursor, "oecsh.audit_expired_before", "")
        if done:
            return deleted


@transaction.atomic
def erase_person(*, person_id: uuid.UUID, words: Iterable[str]) -> int:
    """Takes a person's names, addresses and `words` (e-mail addresses, names) out of the events that they did, that
    were done to them, or that name one of their e-mail addresses. The uuid stays, so that the trail still holds
    together. Returns how many events were changed."""
    words = sorted({word for word in words if word}, key=len, reverse=True)
    addresses = [word for word in words if "@" in word]
    with connection.cursor() as cursor:
        _say(cursor, "oecsh.audit_erased_person", str(person_id))
        _say(cursor, "oecsh.audit_erased_words", json.dumps(addresses))
        events = list(_events_about(person_id, addresses))
        for event in events:
            _erase(event, person_id, words)
        _say(cursor, "oecsh.audit_erased_person", "")
    return len(events)


def _events_about(person_id: uuid.UUID, addresses: list[str]) -> QuerySet[Event]:
    condition = Q(actor_id=person_id) | Q(target_id=person_id) | Q(viewer_id=person_id)
    texts = {"before_text": Cast("before", TextField()), "after_text": Cast("after", TextField())}
    for address in addresses:
        for name in ("actor_name", "target_name", *texts):
            condition |= Q(**{f"{name}__contains": address})
    return Event.objects.alias(**texts).filter(condition)


def _erase(event: Event, person_id: uuid.UUID, words: list[str]) -> None:
    for name in ("actor", "target", "viewer"):
        is_mine = getattr(event, f"{name}_id") == person_id
        field = f"{name}_name"
        setattr(event, field, ERASED if is_mine else _without(getattr(event, field), words))
    if event.actor_id == person_id:
        event.ip_address = None
    event.before, event.after = _without(event.before, words), _without(event.after, words)
    event.save_erased()


def _without(value: Any, words: list[str]) -> Any:
    """E-mail addresses wherever they stand; names only where they stand alone: they are parts of other words."""
    if isinstance(value, dict):
        return {key: _without(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, words) for item in value]
    if isinstance(value, str):
        for word in words:
            value = value.replace(word, ERASED) if "@" in word or value == word else value
    return value


def _say(cursor: Any, name: str, value: str) -> None:
    """For this transaction only (the third argument of set_config)."""
    cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
