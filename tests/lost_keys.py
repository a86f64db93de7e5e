"""Secrets whose key is gone from the key ring."""

from __future__ import annotations

from django.apps import apps
from django.db import connection, models
from psycopg import sql

from apps.core.fields import EncryptedTextField

SEALED_WITH_A_KEY_THAT_IS_GONE = "gcm:gone:" + "A" * 60


def lose(row: models.Model, *names: str) -> None:
    """From now on these secrets of the row cannot be decrypted."""
    for name in names:
        _write(row._meta.db_table, name, sql.SQL(" WHERE id = {}").format(sql.Literal(row.pk)))


def lose_everything() -> int:
    """All secrets of all rows; returns how many columns held one."""
    columns = [
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]
    return sum(_write(table, column, sql.SQL("")) > 0 for table, column in columns)


def _write(table: str, column: str, where: sql.Composable) -> int:
    statement = sql.SQL("UPDATE {} SET {} = {}").format(
        sql.Identifier(table), sql.Identifier(column), sql.Literal(SEALED_WITH_A_KEY_THAT_IS_GONE)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement + where)
        return cursor.rowcount
