"""`Idempotency-Key`: a request that is sent twice acts once, and both get the same answer.

The answer is written in the transaction of what the request does. A second request that comes in the middle waits at
the unique constraint for the first one's commit; where the first one is refused there is nothing to repeat, and the
second runs. Only successes are kept: a refused request has changed nothing, and may be sent again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.models import ApiKey, IdempotentAnswer
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.orgs.quotas import announced

HEADER = "Idempotency-Key"
_FORMAT = re.compile(r"[\x21-\x7e]{1,255}")
PATIENCE = "30s"


@announced
def run_once(handler: Callable[..., Response], request: Request, *arguments: Any, **details: Any) -> Response:
    """Runs the handler, or gives the answer that the same request got before. Raises Problem
    `api.idempotency_key_reused`, `api.invalid_idempotency_key`; Conflict `api.idempotency_in_progress`."""
    name = request.headers[HEADER]
    if not _FORMAT.fullmatch(name):
        raise Problem("api.invalid_idempotency_key")
    fingerprint = _fingerprint(request)
    with transaction.atomic():
        answer, is_new = _reserve(request.auth, name, fingerprint)
        if not is_new:
            return _replay(answer, fingerprint)
        response = handler(request, *arguments, **details)
        answer.status_code = response.status_code
        answer.body = JSONRenderer().render(response.data).decode()
        answer.save(update_fields=["status_code", "body", "updated_at"])
    return response


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, default=str)
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n{body}".encode()).hexdigest()


def _reserve(key: ApiKey, name: str, fingerprint: str) -> tuple[IdempotentAnswer, bool]:
    """This request's row and True, or another's. Waits while the other's transaction is open."""
    while True:
        row = IdempotentAnswer(api_key=key, idempotency_key=name, fingerprint=fingerprint)
        _insert(row)
        found = IdempotentAnswer.objects.filter(api_key=key, idempotency_key=name).first()
        if found is None:
            continue  # it was deleted for its age just now
        if found.pk == row.pk:
            return row, True
        if not found.is_over:
            return found, False
        IdempotentAnswer.objects.filter(pk=found.pk).delete()


def _insert(row: IdempotentAnswer) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        IdempotentAnswer.objects.bulk_create([row], ignore_conflicts=True)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        raise Conflict("api.idempotency_in_progress") from error


def _replay(answer: IdempotentAnswer, fingerprint: str) -> Response:
    if answer.fingerprint != fingerprint:
        raise Problem("api.idempotency_key_reused")
    body = json.loads(answer.body) if answer.body else None
    return Response(body, status=answer.status_code, headers={"Idempotent-Replayed": "true"})


def delete_old() -> int:
    """Deletes the answers whose time is over; returns how many."""
    limit = clock.now() - IdempotentAnswer.KEPT
    deleted, _ = IdempotentAnswer.objects.filter(created_at__lte=limit).delete()
    return deleted
