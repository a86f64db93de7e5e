"""A database of its own for a benchmark, migrated and dropped afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.test.utils import setup_databases, teardown_databases


@contextlib.contextmanager
def fresh_database() -> Iterator[None]:
    """Everything inside works on an empty, migrated database."""
    previous = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(previous, verbosity=0)
