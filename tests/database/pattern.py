"""Rows that are made once and repeated from then on."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from psycopg.sql import SQL, Identifier

from apps.core import clock

_ID_OR_TIME = re.compile(
    r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00)"
)
_READ = SQL("SELECT jsonb_agg(entry)::text FROM {table} AS entry")
_WRITE = SQL("INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s)")


class Pattern:
    """All rows of these tables as they are now."""

    def __init__(self, tables: Iterable[str]) -> None:
        self._made_at = clock.now()
        self._rows: dict[str, str] = {}
        with connection.cursor() as cursor:
            for name in tables:
                cursor.execute(_READ.format(table=Identifier(name)))
                self._rows[name] = cursor.fetchone()[0]

    def repeat(self) -> None:
        """Makes the rows as if it were done right now, and under new ids: nothing that was counted or kept of those of
        another test, in Redis for instance, is theirs."""
        new_ids: dict[str, str] = defaultdict(lambda: str(uuid.uuid4()))
        passed = clock.now() - self._made_at

        def renewed(found: re.Match[str]) -> str:
            if found["id"]:
                return new_ids[found["id"]]
            return (datetime.fromisoformat(found["time"]) + passed).isoformat()

        statements = SQL("; ").join(_WRITE.format(table=Identifier(name)) for name in self._rows)
        with connection.cursor() as cursor:
            cursor.execute(statements, [_ID_OR_TIME.sub(renewed, rows) for rows in self._rows.values()])
