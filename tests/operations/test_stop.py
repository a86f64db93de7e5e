"""The stop sign: which reason goes first, who is woken, who is called back."""

from __future__ import annotations

import threading
import time

import pytest

from apps.operations.exceptions import Cancelled, DeadlineExceeded, LeaseLost
from apps.operations.stop import StopSign


@pytest.fixture
def sign():
    return StopSign(10)


def test_nothing_stops_a_step_without_a_reason(sign):
    with sign.watch(timeout=5, cancellable=True):
        sign.notice()
        sign.check()
        assert sign.overdue() == 0
        assert 4 < sign.remaining() <= 5


def test_a_lost_lease_goes_before_a_cancel_and_a_cancel_before_the_deadline(sign):
    with sign.watch(timeout=-1, cancellable=True):
        assert sign.reason() is DeadlineExceeded
        sign.cancel_requested()
        assert sign.reason() is Cancelled
        sign.lease_lost()
        assert sign.reason() is LeaseLost


def test_a_cancel_does_not_stop_what_cannot_be_cancelled(sign):
    sign.cancel_requested()
    with sign.watch(timeout=5, cancellable=False):
        sign.check()
    sign.check()  # nor anything between two steps


def test_a_lease_that_was_not_renewed_in_time_counts_as_lost():
    sign = StopSign(0.2)
    sign.lease_renewed(time.monotonic())
    sign.check()
    time.sleep(0.25)
    assert sign.reason() is LeaseLost
    sign.lease_renewed(time.monotonic())
    sign.check()


def test_a_sleep_is_woken_at_once(sign):
    threading.Timer(0.2, lambda: (sign.cancel_requested(), sign.notice())).start()
    started = time.monotonic()
    with sign.watch(timeout=60, cancellable=True), pytest.raises(Cancelled):
        sign.sleep(30)
    assert time.monotonic() - started < 0.5


def test_a_sleep_does_not_outlast_the_deadline(sign):
    started = time.monotonic()
    with sign.watch(timeout=0.2, cancellable=True), pytest.raises(DeadlineExceeded):
        sign.sleep(30)
    assert time.monotonic() - started < 0.5


def test_a_sleep_may_be_short(sign):
    with sign.watch(timeout=5, cancellable=True):
        sign.sleep(0)
        sign.sleep(0.01)


def test_callbacks_are_called_once_and_never_hold_up_the_heartbeat(sign):
    called, forever = [], threading.Event()

    def fail() -> None:
        called.append("failed")
        raise OSError("closed already")

    with sign.watch(timeout=60, cancellable=True), sign.on_stop(forever.wait), sign.on_stop(fail):
        with sign.on_stop(lambda: called.append("over")):
            pass
        sign.cancel_requested()
        started = time.monotonic()
        sign.notice()
        sign.notice()
        assert time.monotonic() - started < 0.2
        time.sleep(0.1)
        assert called == ["failed"]
        assert 0 < sign.overdue() < 1
    forever.set()


def test_what_would_wait_is_not_begun_when_there_is_a_reason_already(sign):
    sign.cancel_requested()
    with sign.watch(timeout=60, cancellable=True), pytest.raises(Cancelled), sign.on_stop(lambda: None):
        pytest.fail("The block was begun.")
