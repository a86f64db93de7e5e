"""News for the layers above, which this one does not know. Both are sent with `operation`, inside the transaction that
stores what they tell, and may come twice where a transaction is repeated."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.dispatch import Signal

from apps.operations.persist import is_connection_error

if TYPE_CHECKING:
    from apps.operations.models import Operation

logger = logging.getLogger(__name__)

# A worker begins the first step.
operation_started = Signal()
# The last status stands, and the pipeline's hook was called.
operation_ended = Signal()


def tell(signal: Signal, operation: Operation) -> None:
    """Sends; a receiver that fails is logged, and what it wrote is rolled back: an operation always goes on."""
    try:
        with transaction.atomic():
            signal.send(type(operation), operation=operation)
    except Exception as error:
        if is_connection_error(error):
            raise  # the whole transaction is tried again
        logger.exception("News of operation %s (%s) could not be told", operation.pk, operation.kind)
