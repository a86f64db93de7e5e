"""From an exception to what people are shown."""

from __future__ import annotations

import logging
import traceback
import uuid

from apps.core.exceptions import Problem, RetryableError
from apps.core.masking import Masker
from apps.core.templatetags.core import duration
from apps.operations.exceptions import DeadlineExceeded
from apps.operations.finishing import Failure
from apps.operations.log import cut
from apps.operations.models import OperationStep
from apps.operations.persist import is_connection_error

logger = logging.getLogger(__name__)


class InterruptedTooOften(Exception):
    """The worker died in the same step again and again."""


def is_retryable(error: BaseException) -> bool:
    """Only a lost way to something is tried again by the machine."""
    return isinstance(error, RetryableError) or is_connection_error(error)


def describe(error: BaseException, *, step: OperationStep, timeout: float, masker: Masker) -> Failure:
    """The failure that is stored: an expected one with its own words, an unexpected one with a reference under which
    the platform's own log has the traceback."""
    problem = error if isinstance(error, Problem) else _as_problem(error, step, timeout, masker)
    title, hint = masker.mask(problem.title), masker.mask(problem.what_to_do)
    return Failure(problem.code, cut(title), cut(hint), problem.who)


def _as_problem(error: BaseException, step: OperationStep, timeout: float, masker: Masker) -> Problem:
    if isinstance(error, DeadlineExceeded):
        return Problem("operations.deadline_exceeded", step=step.title, duration=duration(timeout))
    if isinstance(error, InterruptedTooOften):
        return Problem("operations.interrupted_too_often", step=step.title, count=step.interruptions)
    if isinstance(error, RetryableError):
        return Problem("operations.connection_lost", step=step.title, detail=str(error))
    reference = uuid.uuid4().hex[:12]
    trace = masker.mask("".join(traceback.format_exception(error)))
    logger.error(
        "Unexpected failure %s in step %s (%s) of operation %s:\n%s",
        reference,
        step.name,
        step.pk,
        step.operation_id,
        trace,
    )
    return Problem("operations.unexpected", step=step.title, reference=reference)
