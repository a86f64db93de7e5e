"""What the migrations wrote (content types, permissions, versions of Odoo), and the way back to it."""

from __future__ import annotations

from django.db import connection, transaction
from psycopg.sql import SQL, Composed, Identifier

# The database refuses to delete from it row by row (apps/audit/migrations/0002_kept.py).
ONLY_TRUNCATED = "audit_event"
COPIES = "beginning"  # a schema beside the tables
_remembered: set[str] = set()


def remember_beginning() -> None:
    """From now on `begin_again` leads back to the rows that are in the tables now."""
    _remembered.update(changed_tables())
    statement = SQL("CREATE TABLE {copy} AS TABLE {table}")
    _execute(SQL("CREATE SCHEMA {}").format(Identifier(COPIES)), *(_with_copy(statement, name) for name in _remembered))


def is_remembered() -> bool:
    return bool(_remembered)


def changed_tables() -> list[str]:
    """The names of the models' tables that hold something else than in the beginning."""
    names = connection.introspection.django_table_names()
    return _which({name: _differs(name) if name in _remembered else _has_rows(name) for name in names})


@transaction.atomic
def begin_again() -> None:
    """Empties the tables, besides that what the migrations wrote is there, under its old ids."""
    tables = connection.introspection.django_table_names()
    # Whoever still writes is waited for.
    _execute(SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(SQL(", ").join(map(Identifier, tables))))
    changed = changed_tables()
    _execute(*map(_emptied, changed))
    statement = SQL("INSERT INTO {table} TABLE {copy}")
    _execute(*(_with_copy(statement, name) for name in changed if name in _remembered))


def _has_rows(name: str) -> Composed:
    return SQL("EXISTS (TABLE {})").format(Identifier(name))


def _differs(name: str) -> Composed:
    return _with_copy(
        SQL("EXISTS (TABLE {table} EXCEPT TABLE {copy}) OR EXISTS (TABLE {copy} EXCEPT TABLE {table})"), name
    )


def _emptied(name: str) -> Composed:
    return SQL("TRUNCATE {}" if name == ONLY_TRUNCATED else "DELETE FROM {}").format(Identifier(name))


def _with_copy(statement: SQL, name: str) -> Composed:
    return statement.format(table=Identifier(name), copy=Identifier(COPIES, name))


def _which(conditions: dict[str, Composed]) -> list[str]:
    """The tables of which the condition is true."""
    questions = (SQL("SELECT {} WHERE {}").format(name, condition) for name, condition in conditions.items())
    with connection.cursor() as cursor:
        cursor.execute(SQL(" UNION ALL ").join(questions))
        return [name for (name,) in cursor.fetchall()]


def _execute(*statements: Composed) -> None:
    if statements:
        with connection.cursor() as cursor:
            cursor.execute(SQL("; ").join(statements))
