"""Writing through a database connection that may break."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, InterfaceError, OperationalError, connection

from apps.operations.exceptions import LeaseLost
from apps.operations.stop import StopSign

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
_PAUSE_SECONDS = 0.3
# Shutdown by an administrator, after a crash, not yet up; silent too long in a transaction; too many connections.
_STATES = {"57P01", "57P02", "57P03", "25P03", "53300"}


def is_connection_error(error: BaseException) -> bool:
    """True when the database could not be reached or ended the connection, as opposed to refusing a statement. The
    error has to say it: by now Django may have connected anew."""
    if not isinstance(error, Error):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state.startswith("08") or state in _STATES


def persist(write: Callable[[], Result], sign: StopSign) -> Result:
    """Calls `write`, again with a fresh connection when the connection broke, until the lease cannot be ours any
    more (LeaseLost). `write` must be harmless when its first call was committed after all."""
    while True:
        try:
            return write()
        except Error as error:
            if connection.in_atomic_block or not is_connection_error(error):
                raise
            logger.warning("The database connection broke: %r", error)
            connection.close()
            if sign.reason() is LeaseLost:
                raise LeaseLost from error
            time.sleep(_PAUSE_SECONDS)
