"""Who may see, cancel and repeat an operation: whoever may see what it is about, and has the right to it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.operations.models import Operation
from apps.operations.pipeline import all_pipelines
from apps.orgs.access import require
from apps.orgs.querysets import get_visible_or_404


def get_operation_or_404(user: Any, operation_id: uuid.UUID | str) -> Operation:
    """The operation. Raises Http404 to a stranger of its organization or its subject, PermissionDenied to a member
    who may not look at such operations."""
    operation = get_visible_or_404(Operation.objects.select_related("organization"), user, pk=operation_id)
    subject = operation.subject
    if subject is not None and hasattr(type(subject)._default_manager, "visible_to"):
        get_visible_or_404(type(subject), user, pk=subject.pk)
    pipeline = all_pipelines().get(operation.kind)
    _require(user, pipeline.view_code if pipeline else "org.view", operation)
    return operation


def require_to_cancel(user: Any, operation: Operation) -> None:
    """Raises PermissionDenied unless the person may cancel the operation."""
    pipeline = all_pipelines().get(operation.kind)
    _require(user, pipeline.cancel_code if pipeline else "org.update", operation)


def require_to_retry(user: Any, operation: Operation) -> None:
    """Raises PermissionDenied unless the person may do again what the operation did."""
    pipeline = all_pipelines().get(operation.kind)
    _require(user, pipeline.retry_code if pipeline else "org.update", operation)


def may_cancel(user: Any, operation: Operation) -> bool:
    """True when the button is worth showing: the person has the right, and it can still be cancelled."""
    try:
        require_to_cancel(user, operation)
    except PermissionDenied:
        return False
    return operation.may_be_cancelled


def may_view(user: Any, operation_id: uuid.UUID | str) -> bool:
    """As get_operation_or_404, as an answer."""
    try:
        get_operation_or_404(user, operation_id)
    except (Http404, PermissionDenied):
        return False
    return True


def _require(user: Any, code: str, operation: Operation) -> None:
    require(user, code, operation)
