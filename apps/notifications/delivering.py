"""A delivery: called, and settled by what came back."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.db import transaction

from apps.core import clock
from apps.core.keyring import DecryptionError
from apps.notifications.calling import GONE, Answer, call
from apps.notifications.claiming import DELIVERY_PAUSES, claim_delivery, give_up_or_wait, release
from apps.notifications.models import Delivery, DeliveryAttempt, OutboxStatus, Webhook
from apps.notifications.publishing import publish
from apps.notifications.services import pause_webhook

logger = logging.getLogger(__name__)
FAILURES_TO_PAUSE = 20
LEAST_TIME_TO_PAUSE = timedelta(hours=1)
FIRST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)


def deliver_next() -> bool:
    """Claims what is due, calls, settles. False when there was nothing to do."""
    delivery = claim_delivery()
    if delivery is None:
        return False
    if delivery.tries > len(DELIVERY_PAUSES) + 1:
        answer = Answer("Every worker that began this was lost.", 0)
    else:
        answer = _answer_to(delivery)
    settle(delivery, answer)
    return True


def _answer_to(delivery: Delivery) -> Answer:
    try:
        return call(delivery)
    except DecryptionError as problem:
        return Answer(problem.title, 0)
    except Exception:  # the task's time limit too: whatever it is, the row's attempt ends, and others are not held up
        logger.exception("The delivery %s could not be called.", delivery.pk)
        return Answer("The platform could not make this call.", 0)


def settle(delivery: Delivery, answer: Answer) -> bool:
    """Writes down what came of an attempt. False, and nothing is written, when the lease was lost meanwhile."""
    now = clock.now()
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=delivery.webhook_id).first()
        rows = Delivery.objects.select_for_update(of=("self",), no_key=True).filter(lease_token=delivery.lease_token)
        row = rows.filter(pk=delivery.pk).first()
        if webhook is None or row is None:
            return False
        release(row)
        _log(row, answer, now)
        if answer.error:
            _note_failure(webhook, row, answer, now)
        else:
            row.status, row.finished_at, row.error = OutboxStatus.DELIVERED, now, ""
            webhook.failure_count, webhook.failing_since, webhook.resting_until = 0, None, None
        webhook.last_triggered_at = now
        row.save()
        webhook.save()
        _pause_if_hopeless(webhook, answer, now)
    return True


def _log(row: Delivery, answer: Answer, now: datetime) -> None:
    DeliveryAttempt.objects.filter(delivery=row, number=row.attempt_count).update(
        finished_at=now,
        duration_milliseconds=answer.milliseconds,
        response_status=answer.status,
        response_body=answer.body,
        error=answer.error,
        updated_at=now,
    )


def _note_failure(webhook: Webhook, row: Delivery, answer: Answer, now: datetime) -> None:
    webhook.failure_count += 1
    webhook.failing_since = webhook.failing_since or now
    doublings = min(webhook.failure_count - 1, 10)
    webhook.resting_until = now + min(FIRST_REST * 2**doublings, LONGEST_REST)
    if row.status != OutboxStatus.PENDING:
        row.error = answer.error  # it was cancelled while it was under way
        return
    give_up_or_wait(row, DELIVERY_PAUSES, answer.error, now, random.uniform(1, 1.2))  # noqa: S311 (no secret)
    if answer.retry_after is not None and row.status == OutboxStatus.PENDING:
        row.next_attempt_at = max(row.next_attempt_at, now + answer.retry_after)


def _pause_if_hopeless(webhook: Webhook, answer: Answer, now: datetime) -> None:
    if not webhook.is_active or not answer.error:
        return
    if webhook.problem:
        reason = webhook.problem
    elif answer.status == GONE:
        reason = "The receiver says that it is gone (410)."
    elif webhook.failure_count >= FAILURES_TO_PAUSE and now - webhook.failing_since >= LEAST_TIME_TO_PAUSE:
        reason = f"{webhook.failure_count} calls in a row failed. The last one: {answer.error}"
    else:
        return
    pause_webhook(webhook=webhook, actor=None, reason=reason)
    publish(
        kind="webhook.paused",
        organization=webhook.organization,
        title=f"The webhook {webhook.name} was paused",
        data={"webhook": {"id": webhook.pk, "name": webhook.name}, "reason": reason},
        path=webhook.get_absolute_url(),
        key=f"webhook:{webhook.pk}:paused:{now.isoformat()}",
    )
