"""The two changes that the trail knows: events grow too old, and a person asks to be forgotten.

The database refuses every other change. It lets these through because their transaction says which one it is; see the
trigger in migrations/0002_kept.py, and what it lets through in 0003_whole.py.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from apps.audit.models import ERASABLE, Event

BATCH = 5000
# The least that is kept; the trigger knows it too.
MINIMUM_DAYS = 30
ERASED = "Erased person"
NAMES = ("actor_name", "target_name", "viewer_name")
# The target of an event that is a person, and what a person's name is called in `before` and `after`.
PERSON = "accounts.user"
NAME_KEYS = ("person", "owner", "display_name")
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


@dataclass(frozen=True)
class _Forgotten:
    """Whose events are changed, and what is taken out of them."""

    person_id: uuid.UUID
    proven: re.Pattern[str] | None
    all_addresses: re.Pattern[str] | None
    name: str


@transaction.atomic
def erase_person(
    *, person_id: uuid.UUID, addresses: Iterable[str], unproven: Iterable[str] = (), name: str = ""
) -> int:
    """Takes a person out of the trail: their names and IP address out of the events that they did, that were done to
    them or seen by them, and `addresses` (which must be shown to be theirs) out of all events. `unproven` addresses
    and `name` go out of the events about the person alone: anybody can claim any. The uuid stays, so that the trail
    still holds together. Returns how many events were changed."""
    addresses = sorted({address for address in addresses if address})
    everything = [*addresses, *(address for address in unproven if address)]
    forgotten = _Forgotten(person_id, _whole(addresses), _whole(everything), name)
    changed = 0
    with connection.cursor() as cursor:
        _say(cursor, "oecsh.audit_erased_person", str(person_id))
        _say(cursor, "oecsh.audit_erased_words", json.dumps(addresses))
        for event in list(_events_about(person_id, addresses)):
            changed += _erase(event, forgotten)
        _say(cursor, "oecsh.audit_erased_person", "")
    return changed


def _whole(addresses: list[str]) -> re.Pattern[str] | None:
    """Finds the addresses, but not as parts of longer ones; the trigger finds the same (migrations/0003_whole.py). A
    full stop after one may end a sentence."""
    if not addresses:
        return None
    longest_first = sorted(map(re.escape, addresses), key=len, reverse=True)
    return re.compile(rf"(?<![\w.+%-])(?:{'|'.join(longest_first)})(?![\w-]|\.\w)")


def _events_about(person_id: uuid.UUID, addresses: list[str]) -> QuerySet[Event]:
    """Those about the person, and those that may name an address: `_erase` looks more closely."""
    condition = Q(actor_id=person_id) | Q(target_id=person_id) | Q(viewer_id=person_id)
    texts = {"before_text": Cast("before", TextField()), "after_text": Cast("after", TextField())}
    for address in addresses:
        for name in (*NAMES, *texts):
            condition |= Q(**{f"{name}__contains": address})
    return Event.objects.alias(**texts).filter(condition)


def _erase(event: Event, forgotten: _Forgotten) -> bool:
    """Whether there was something to take out."""
    person_id, before = forgotten.person_id, _content(event)
    is_about = person_id in (event.actor_id, event.target_id, event.viewer_id)
    pattern, name = (forgotten.all_addresses, forgotten.name) if is_about else (forgotten.proven, "")
    for role in ("actor", "target", "viewer"):
        field, is_mine = f"{role}_name", getattr(event, f"{role}_id") == person_id
        # Whoever else acted or looked on is another person, even of the same name.
        own_name = name if role == "target" and event.target_type != PERSON else ""
        value = getattr(event, field)
        setattr(event, field, ERASED if is_mine or (own_name and value == own_name) else _without(value, pattern))
    if event.actor_id == person_id:
        event.ip_address = None
    event.before, event.after = (_without(value, pattern, name) for value in (event.before, event.after))
    if _content(event) == before:
        return False
    event.save_erased()
    return True


def _content(event: Event) -> list[Any]:
    return [getattr(event, name) for name in ERASABLE]


def _without(value: Any, pattern: re.Pattern[str] | None, name: str = "", key: str = "") -> Any:
    """Addresses wherever they stand; the name only where it is known to stand for the person: it may be any word."""
    if isinstance(value, dict):
        return {inner: _without(item, pattern, name, inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [_without(item, pattern, name, key) for item in value]
    if not isinstance(value, str):
        return value
    if name and value == name and key in NAME_KEYS:
        return ERASED
    return pattern.sub(ERASED, value) if pattern else value


def _say(cursor: Any, name: str, value: str) -> None:
    """For this transaction only (the third argument of set_config)."""
    cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
