"""Odoo's own address follows where it is still the one that the platform wrote."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.environments.runtime_database import follow_address_statement

OLD, NEW = "https://shop.example.com", "https://shop-2.example.com:8443"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("stored", "wanted"),
    [(OLD, NEW), (NEW, NEW), ("https://own.example.com", "https://own.example.com"), (None, None)],
)
def test_only_what_we_wrote_is_changed(stored, wanted):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.ir_config_parameter (key text, value text, write_date timestamp)")
        rows = [("web.base.url", stored), ("report.url", OLD)]
        cursor.executemany("INSERT INTO ir_config_parameter VALUES (%s, %s)", rows)
        cursor.execute(follow_address_statement(before=OLD, now=NEW))
        found = cursor.fetchall()
        assert found == ([("ours",)] if stored in (OLD, NEW) else [])
        # A worker that was lost right afterwards: the next one sees the same.
        cursor.execute(follow_address_statement(before=OLD, now=NEW))
        assert cursor.fetchall() == found
        cursor.execute("SELECT value FROM ir_config_parameter ORDER BY key")
        assert cursor.fetchall() == [(OLD,), (wanted,)]


def test_a_quote_in_an_address_stays_inside_of_it():
    assert "''; DROP" in follow_address_statement(before="'; DROP", now=NEW)
