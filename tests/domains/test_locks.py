"""A lock is given back whatever ended the block that held it."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction

from apps.domains.locks import locked

pytestmark = pytest.mark.django_db(transaction=True)


def is_free(name: str) -> bool:
    """Asked from another session: one's own always gets it once more."""
    found: list[bool] = []

    class Impatient:
        """Does not wait."""

        def info(self, text: str) -> None:
            raise TimeoutError

    def ask() -> None:
        try:
            with locked(name, run=Impatient()):
                found.append(True)
        except TimeoutError:
            found.append(False)
        finally:
            connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    return found == [True]


def test_it_is_held_for_the_block():
    with locked("a name"):
        assert not is_free("a name")
        assert is_free("another name")
    assert is_free("a name")


def test_after_a_statement_that_failed_in_a_transaction():
    def break_it() -> None:
        with transaction.atomic(), locked("a name"), connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")

    with pytest.raises(DatabaseError):
        break_it()
    assert is_free("a name")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_after_the_connection_broke():
    with locked("a name"):
        connection.close()
    assert is_free("a name")
