"""The log: numbered without gaps, masked, cut, capped, kept for a time; outside logs neither lost nor doubled."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest
from django.core.serializers import serialize

from apps.audit.models import Event
from apps.core import clock
from apps.core.masking import MASK
from apps.operations import services
from apps.operations.log import LONGEST_LINE, Entry, cut, number
from apps.operations.models import Level, LogLine, LogPosition, Operation, OperationStep
from apps.operations.runner import run_operation
from tests.operations.conftest import wait_for, wait_until_over

SECRET = "correct-horse-battery-staple"


def entries(*levels):
    return [Entry(None, level, str(position)) for position, level in enumerate(levels)]


def test_lines_are_numbered_from_the_last_one():
    assert [(sequence, entry.text) for sequence, entry in number(entries("INFO", "INFO"), 7, 100)] == [
        (8, "0"),
        (9, "1"),
    ]


def test_beyond_the_cap_only_warnings_and_errors_are_kept_after_one_line_that_says_so():
    numbered = number(entries("INFO", "INFO", "INFO", "ERROR", "DEBUG", "WARNING"), 8, 10)
    assert [sequence for sequence, _ in numbered] == [9, 10, 11, 12, 13]
    assert [entry.text for _, entry in numbered] == [
        "0",
        "1",
        "This log has 10 lines: from here on only warnings and errors are kept.",
        "3",
        "5",
    ]
    assert number(entries("INFO", "DEBUG"), 13, 10) == []
    assert len(number(entries(*["ERROR"] * 3000), 10, 10)) == 1000


def test_a_long_line_is_cut():
    assert cut("x" * LONGEST_LINE) == "x" * LONGEST_LINE
    assert cut("x" * 5000) == "x" * LONGEST_LINE + " … (cut, the line has 5000 characters)"


@pytest.mark.django_db(transaction=True)
class TestStored:
    def test_thousands_of_lines_are_all_there_in_order(self, queue):
        operation = queue("toy.acting", act="talk", lines=3000)
        assert run_operation(operation.pk)
        operation.refresh_from_db()
        lines = LogLine.objects.filter(operation=operation).order_by("sequence")
        assert [line.sequence for line in lines] == list(range(1, operation.log_sequence + 1))
        texts = [line.text for line in lines if line.text.startswith("line ")]
        assert texts == [f"line {number}" for number in range(3000)]
        assert all(line.created_at <= later.created_at for line, later in itertools.pairwise(lines))

    def test_the_cap_holds_over_the_whole_operation(self, queue, settings):
        settings.OPERATION_LOG_MAXIMUM_LINES = 40
        operation = queue("toy.acting", act="talk", lines=300)
        assert run_operation(operation.pk)
        operation.refresh_from_db()
        assert operation.status == "completed"
        assert LogLine.objects.filter(operation=operation).count() == operation.log_sequence == 41

    def test_progress_is_stored_with_the_step(self, queue):
        operation = queue("toy.acting", act="talk", lines=1)
        assert run_operation(operation.pk)
        step = operation.steps.get(name="act")
        assert (step.progress_done, step.progress_total, step.progress_unit) == (
            3,
            12,
            "modules",
        ) or step.progress == 25

    def test_a_planted_secret_is_nowhere(self, queue):
        operation = queue("toy.acting", act="tell_secrets", word=SECRET)
        assert run_operation(operation.pk)
        lines = [line.text for line in LogLine.objects.filter(operation=operation)]
        assert f"The password is {MASK}." in lines
        assert f"And again: {MASK}{MASK}" in lines
        assert f"outside says {MASK}" in lines
        assert f"https://user:{MASK}@example.com/ and red {MASK}" in lines
        Operation.objects.update(parameters={})  # where the test itself planted it
        for model in (Operation, OperationStep, LogLine, LogPosition):
            assert SECRET not in serialize("json", model.objects.all()), model
        assert SECRET not in json.dumps(list(Event.objects.values_list("before", "after")))
        assert MASK in operation.steps.get(name="act").hint

    def test_lines_are_stored_soon(self, queue, work, world):
        operation = queue("toy.two", gate="one")
        work(operation)
        wait_for(lambda: world.count("one", "begin"))
        line = wait_for(lambda: LogLine.objects.filter(operation=operation).first(), 1, every=0.005)
        assert (clock.now() - line.created_at).total_seconds() < 0.4
        world.gate("one").touch()

    def test_an_outside_log_is_taken_over_exactly_once(self, queue, work, world):
        log = world.folder / "log-one"
        log.write_text("".join(f"outside {number}\n" for number in range(50)))
        operation = queue("toy.two", follow="one")
        work(operation)
        wait_for(lambda: LogLine.objects.filter(operation=operation, text="outside 49").exists())
        with log.open("a") as more:
            more.writelines(f"outside {number}\n" for number in range(50, 90))
            more.write("end\n")
        wait_until_over(operation)
        texts = list(LogLine.objects.filter(text__startswith="outside").values_list("text", flat=True))
        assert texts == [f"outside {number}" for number in range(90)]
        assert LogPosition.objects.get().position == [log.stat().st_size, "end"]

    def test_lines_are_deleted_after_their_time_and_not_before(self, queue):
        old, young = queue("toy.two", lock_key="old"), queue("toy.two", lock_key="young")
        for operation in (old, young):
            assert run_operation(operation.pk)
        still = queue("toy.two", lock_key="running", gate="one")
        LogLine.objects.create(operation=still, sequence=1, level=Level.INFO, text="x", created_at=clock.now())
        LogPosition.objects.create(operation=old, source="x", position=1)
        Operation.objects.filter(pk=old.pk).update(finished_at=clock.now() - timedelta(days=91))
        Operation.objects.filter(pk=young.pk).update(finished_at=clock.now() - timedelta(days=89))
        assert services.delete_old_lines(batch_size=3) == 4
        assert set(LogLine.objects.values_list("operation_id", flat=True)) == {young.pk, still.pk}
        assert not LogPosition.objects.exists()
        assert Operation.objects.filter(pk=old.pk, steps__status="completed").exists(), "what happened is still known"
