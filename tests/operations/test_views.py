"""What pages ask for: lines, steps, cancel, the log as a file; strangers get 404, members without the right 403."""

from __future__ import annotations

import uuid

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core import clock
from apps.operations.models import Level, LogLine, Operation, OperationStep, Status
from apps.orgs.services import add_member
from tests.cast import open_to_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(cast, queue, organization):
    """A running operation with eight lines; Vera may look, Bob may cancel nothing, Anna may."""
    for user, role in ((cast.vera, "viewer"), (cast.bob, "developer"), (cast.anna, "admin")):
        add_member(organization=organization, user=user, role=role, actor=cast.sam)
    operation = queue("toy.two")
    step = operation.steps.get(name="one")
    levels = ["DEBUG", "INFO", "INFO", "WARNING", "INFO", "ERROR", "INFO", "INFO"]
    LogLine.objects.bulk_create(
        LogLine(
            operation=operation,
            step=step,
            sequence=number,
            level=level,
            text=f"Line {number} <b>",
            created_at=clock.now(),
        )
        for number, level in enumerate(levels, start=1)
    )
    Operation.objects.filter(pk=operation.pk).update(log_sequence=8, status=Status.RUNNING, started_at=clock.now())
    OperationStep.objects.filter(pk=step.pk).update(status=Status.RUNNING, started_at=clock.now(), attempt=2)
    operation.refresh_from_db()
    return operation


@pytest.fixture
def ask(operation, sign_in, cast):
    """`ask("lines", after=3)` as Vera."""

    def get(name, user=None, htmx=False, **query):
        headers = {"HX-Request": "true"} if htmx else {}
        return sign_in(user or cast.vera).get(
            reverse(f"operations:{name}", args=[operation.pk]), query, headers=headers
        )

    return get


def numbers(answer):
    return [line["sequence"] for line in answer.json()["lines"]]


def test_lines_come_after_the_one_that_is_known(ask):
    answer = ask("lines", after=5)
    assert numbers(answer) == [6, 7, 8]
    assert {name: answer.json()[name] for name in ("last", "more", "status", "finished")} == {
        "last": 8,
        "more": False,
        "status": "running",
        "finished": False,
    }
    line = answer.json()["lines"][0]
    assert (line["step"], line["level"], line["text"]) == ("one", Level.ERROR, "Line 6 <b>")
    assert ask("lines", after=8).json()["lines"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"level": "warning"}, [4, 6]),
        ({"level": "ERROR"}, [6]),
        ({"level": "DEBUG"}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"q": "line 3"}, [3]),
        ({"q": "%"}, []),
        ({"step": "two"}, []),
        ({"step": "one", "after": "6"}, [7, 8]),
        ({"tail": "2"}, [7, 8]),
        ({"tail": "2", "level": "error"}, []),
        ({"q": "\x00"}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_filters_leave_out_lines_but_the_next_question_goes_on_after_all_of_them(ask, query, expected):
    answer = ask("lines", **query)
    assert numbers(answer) == expected
    assert answer.json()["last"] == 8


@pytest.mark.parametrize(
    "query", [{"after": "-1"}, {"after": "x"}, {"after": "9" * 30}, {"level": "LOUD"}, {"tail": "²"}]
)
def test_nonsense_is_refused(ask, query):
    assert ask("lines", **query).status_code == 400


def test_many_lines_come_in_pieces(operation, ask):
    LogLine.objects.bulk_create(
        LogLine(operation=operation, sequence=number, text="x", created_at=clock.now()) for number in range(9, 1510)
    )
    Operation.objects.filter(pk=operation.pk).update(log_sequence=1509)
    first = ask("lines")
    assert (len(numbers(first)), first.json()["last"], first.json()["more"]) == (1000, 1000, True)
    second = ask("lines", after=1000)
    assert (numbers(second)[0], second.json()["last"], second.json()["more"]) == (1001, 1509, False)


def test_htmx_gets_lines_as_html_in_which_text_is_text(ask):
    answer = ask("lines", htmx=True, after=5)
    assert answer.status_code == 200
    html = answer.content.decode()
    assert 'data-last="8"' in html
    assert html.count('class="line"') == 3
    assert "Line 6 &lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize("name", ["lines", "steps"])
def test_the_number_of_queries_does_not_grow(operation, cast, sign_in, name):
    client, address = sign_in(cast.vera), reverse(f"operations:{name}", args=[operation.pk])

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    count()  # the first page of a session notes the session
    few = count()
    LogLine.objects.bulk_create(
        LogLine(operation=operation, sequence=n, text="x", created_at=clock.now()) for n in range(9, 300)
    )
    OperationStep.objects.bulk_create(
        OperationStep(operation=operation, position=n, name=f"step_{n}", title="More") for n in range(3, 40)
    )
    assert count() == few < 20


def test_steps_are_shown_with_their_states(operation, ask):
    html = ask("steps").content.decode()
    assert html.count('class="step"') == 2
    assert 'data-step="one" data-status="running"' in html
    assert "Attempt 2" in html
    assert reverse("operations:cancel", args=[operation.pk]) not in html, "who may not cancel sees no button"


def test_a_failed_step_shows_error_hint_and_last_lines(operation, ask):
    operation.steps.filter(name="one").update(
        status=Status.FAILED, error="It broke <b>.", hint="Mend it.", who="server administrator", last_lines="a\n<i>"
    )
    html = ask("steps").content.decode()
    for text in ("It broke &lt;b&gt;.", "Mend it.", "server administrator", "a\n&lt;i&gt;"):
        assert text in html


def test_the_cancel_button_is_for_those_who_may(operation, ask, cast):
    assert reverse("operations:cancel", args=[operation.pk]) in ask("steps", user=cast.anna).content.decode()
    Operation.objects.filter(pk=operation.pk).update(final_started_at=clock.now())
    assert reverse("operations:cancel", args=[operation.pk]) not in ask("steps", user=cast.anna).content.decode()


class TestCancel:
    def url(self, operation):
        return reverse("operations:cancel", args=[operation.pk])

    def test_it_is_told_to_stop_and_twice_is_harmless(self, operation, cast, sign_in):
        for _ in range(2):
            answer = sign_in(cast.anna).post(self.url(operation), headers={"HX-Request": "true"})
            assert answer.status_code == 200
            assert "cancelling" in answer.content.decode()
        operation.refresh_from_db()
        assert operation.cancel_requested_at is not None
        assert operation.cancelled_by == cast.anna

    def test_a_plain_form_is_sent_on_but_not_to_another_site(self, operation, cast, sign_in):
        client = sign_in(cast.anna)
        assert client.post(self.url(operation), {"next": "/somewhere/"}).headers["Location"] == "/somewhere/"
        steps = reverse("operations:steps", args=[operation.pk])
        assert client.post(self.url(operation), {"next": "https://evil.example/"}).headers["Location"] == steps
        assert client.post(self.url(operation), {"next": "//evil.example/"}).headers["Location"] == steps

    def test_what_cannot_be_cancelled_says_why(self, operation, cast, sign_in):
        Operation.objects.filter(pk=operation.pk).update(final_started_at=clock.now())
        answer = sign_in(cast.anna).post(self.url(operation), headers={"HX-Request": "true"})
        assert answer.status_code == 409
        assert "Its last step has begun." in answer.content.decode()

    def test_looking_at_it_does_nothing(self, operation, cast, sign_in):
        assert sign_in(cast.anna).get(self.url(operation)).status_code == 405
        operation.refresh_from_db()
        assert operation.cancel_requested_at is None

    @pytest.mark.parametrize(("who", "status"), [("vera", 403), ("bob", 403), ("charlie", 404), ("alice", 404)])
    def test_others_may_not(self, operation, cast, sign_in, who, status):
        assert sign_in(getattr(cast, who)).post(self.url(operation)).status_code == status
        operation.refresh_from_db()
        assert operation.cancel_requested_at is None


@pytest.mark.parametrize("name", ["lines", "steps", "log"])
def test_strangers_find_nothing_and_the_unknown_sign_in(operation, cast, sign_in, client, name):
    name = {"log": "download"}.get(name, name)
    url = reverse(f"operations:{name}", args=[operation.pk])
    assert sign_in(cast.charlie).get(url).status_code == 404
    assert sign_in(cast.vera).get(url).status_code == 200
    assert sign_in(cast.vera).post(url).status_code == 405
    assert sign_in(cast.vera).get(reverse(f"operations:{name}", args=[uuid.uuid4()])).status_code == 404
    assert client.get(url).status_code == 302


def test_what_is_about_an_object_that_is_not_visible_is_not_visible(operation, cast, sign_in, ask):
    """Staff may have shared an operation with an organization; the subject still decides."""
    Operation.objects.filter(pk=operation.pk).update(subject_id=cast.umbrella.pk)
    assert ask("steps").status_code == 404


def test_the_platforms_own_operations_are_for_portal_admins(operation, cast, sign_in, ask):
    """Whoever may see what it is about."""
    open_to_staff(operation.organization, cast.sam, cast.alice)
    Operation.objects.filter(pk=operation.pk).update(organization=None)
    assert ask("steps").status_code == 404
    assert ask("steps", user=cast.sam).status_code == 200


def test_the_operation_of_something_that_is_gone_is_still_shown(operation, ask):
    Operation.objects.filter(pk=operation.pk).update(subject_id=uuid.uuid4())
    assert ask("steps").status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_the_log_is_downloaded_as_text(operation, cast):
    client = AsyncClient()
    await client.aforce_login(cast.vera, backend="apps.accounts.backends.PersonBackend")
    answer = await client.get(reverse("operations:download", args=[operation.pk]))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="two-things-')
    text = b"".join([piece async for piece in answer.streaming_content]).decode()
    lines = text.splitlines()
    assert len(lines) == 8
    assert lines[3].endswith(" WARNING one: Line 4 <b>")
    await sync_to_async(connections.close_all)()
