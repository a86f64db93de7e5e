"""The audit trail of an organization: who reads it, what is found, and what leaves as CSV."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from apps.audit import services
from apps.audit.export import CHUNK, plain_cell
from apps.audit.models import Event, actions_of
from apps.core import clock
from apps.portal.views.audit import MOST_SHOWN

ADDRESS = "/o/acme/settings/audit/"
EXPORT = f"{ADDRESS}export/"


@pytest.fixture
def trail(cast):
    """Three events on three days, one of them in the other organization."""
    for day, person, action, organization in (
        (1, cast.bob, "project.created", cast.acme),
        (2, cast.anna, "server.added", cast.acme),
        (3, cast.charlie, "server.removed", cast.umbrella),
    ):
        with clock.freeze(datetime(2026, 3, day, 23, 30, tzinfo=UTC)):
            services.record(
                action=action, actor=person, organization_id=organization.pk, target=organization, after={"day": day}
            )
    return cast


def _shown(answer) -> list[str]:
    return [event.action for event in answer.context["page"]]


@pytest.mark.parametrize("address", [ADDRESS, EXPORT])
@pytest.mark.parametrize(("person", "status"), [("alice", 200), ("anna", 200), ("bob", 403), ("charlie", 404)])
def test_who_reads_it(trail, sign_in, address, person, status):
    assert sign_in(getattr(trail, person)).get(address).status_code == status


def test_nobody_signs_in_first(trail, client):
    assert client.get(ADDRESS).status_code == 302
    assert client.get(EXPORT).status_code == 302


def test_nothing_of_another_organization_is_shown(trail, sign_in):
    client = sign_in(trail.alice)
    assert "server.removed" not in _shown(client.get(ADDRESS))
    assert "server.removed" not in _shown(client.get(ADDRESS, {"person": str(trail.charlie.pk)}))
    assert b"server.removed" not in b"".join(client.get(EXPORT).streaming_content)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"person": "Bob"}, {"project.created"}),
        ({"person": "nobody at all"}, set()),
        ({"action": "server."}, {"server.added"}),
        ({"target": "acme", "action": "project"}, {"project.created"}),
        ({"since": "2026-03-02", "until": "2026-03-02"}, {"server.added"}),
        ({"until": "2026-03-01"}, {"project.created"}),
    ],
)
def test_filters(trail, sign_in, asked, found):
    answer = sign_in(trail.alice).get(ADDRESS, asked)
    assert answer.status_code == 200
    assert set(_shown(answer)) == found


def test_days_are_those_of_the_reader(trail, sign_in):
    trail.alice.time_zone = "Asia/Tokyo"
    trail.alice.save()
    asked = {"since": "2026-03-02", "until": "2026-03-02"}
    assert _shown(sign_in(trail.alice).get(ADDRESS, asked)) == ["project.created"]


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "2026-03-05", "until": "2026-03-01"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"person": "a\0b"},
        {"action": "x" * 100},
    ],
)
@pytest.mark.parametrize("address", [ADDRESS, EXPORT])
def test_wrong_filters_are_said_and_show_nothing(trail, sign_in, address, asked):
    answer = sign_in(trail.alice).get(address, asked)
    assert answer.status_code == 422
    assert _shown(answer) == []
    assert b'role="alert"' in answer.content


def test_stored_script_stays_text(trail, sign_in):
    services.record(
        action="test.happened",
        actor=trail.alice,
        organization_id=trail.acme.pk,
        target=trail.acme,
        after={"<script>alert(1)</script>": "<img src=x onerror=alert(1)>"},
    )
    page = sign_in(trail.alice).get(ADDRESS).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def _table(answer) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.reader(io.StringIO(text)))


def test_the_file_has_what_the_page_shows(trail, sign_in):
    answer = sign_in(trail.alice).get(EXPORT, {"action": "server.added"})
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"] == 'attachment; filename="audit-acme.csv"'
    head, row = _table(answer)
    found = dict(zip(head, row, strict=True))
    assert found["time"] == "2026-03-02T23:30:00+00:00"
    assert (found["person"], found["action"], found["object"]) == ("Anna", "server.added", "Acme")
    assert found["after"] == '{"day": 2}'


def test_taking_it_out_is_recorded(trail, sign_in):
    sign_in(trail.alice).get(EXPORT, {"action": "server."})
    event = Event.objects.get(action="audit.exported")
    assert (event.actor_id, event.organization_id) == (trail.alice.pk, trail.acme.pk)
    assert event.after == {"filter": {"action": "server."}}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("http://evil")']
)
def test_no_cell_is_a_formula(cast, sign_in, text):
    assert plain_cell(text) == f"'{text}"
    Event.objects.create(
        created_at=clock.now(), action="test.happened", organization_id=cast.acme.pk, actor_name=text, target_name=text
    )
    _, row = _table(sign_in(cast.alice).get(EXPORT, {"action": "test.happened"}))
    assert row.count(f"'{text}") == 2
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def test_ordinary_cells_stay_as_they_are():
    assert [plain_cell(value) for value in ("a-b", "x=1", "192.0.2.1", None, 5)] == ["a-b", "x=1", "192.0.2.1", "", "5"]


@pytest.fixture
async def closed_connections(transactional_db):
    """The thread in which asynchronous code asks the database keeps no connection from one test to the next."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("closed_connections")
async def test_an_asynchronous_server_sends_in_pieces(cast):
    now = clock.now()
    await Event.objects.abulk_create(
        Event(created_at=now, action="test.happened", organization_id=cast.acme.pk) for _ in range(CHUNK + 5)
    )
    client = AsyncClient()
    await client.aforce_login(cast.alice, backend="apps.accounts.backends.PersonBackend")
    answer = await client.get(EXPORT, {"action": "test.happened"})
    assert answer.is_async
    pieces = [piece async for piece in answer.streaming_content]
    assert len(pieces) > 1
    assert b"".join(pieces).count(b"test.happened") == CHUNK + 5


@pytest.mark.parametrize("amount", [3, 60])
def test_queries_do_not_grow(cast, sign_in, django_assert_max_num_queries, amount):
    now = clock.now()
    Event.objects.bulk_create(
        Event(created_at=now, action=f"test.{number}", organization_id=cast.acme.pk) for number in range(amount)
    )
    client = sign_in(cast.alice)
    client.get(ADDRESS)
    with django_assert_max_num_queries(14):
        assert client.get(ADDRESS).status_code == 200


def test_the_page_counts_no_further_than_it_shows(cast, sign_in):
    now = clock.now()
    Event.objects.bulk_create(
        Event(created_at=now, action="test.many", organization_id=cast.acme.pk) for _ in range(MOST_SHOWN + 50)
    )
    answer = sign_in(cast.alice).get(ADDRESS, {"page": "9999", "action": "test.many"})
    assert answer.context["page"].number == MOST_SHOWN // 50
    assert b"the newest 10000" in answer.content


def test_the_actions_that_occur(trail):
    assert actions_of(trail.umbrella.pk) == ["organization.created", "server.removed"]
    assert actions_of(uuid.uuid4()) == []


def test_platform_wide_in_the_admin(trail, sign_in):
    client = sign_in(trail.sam)
    answer = client.get("/admin/audit/event/", {"q": str(trail.umbrella.pk)})
    assert answer.status_code == 200
    assert b"server.removed" in answer.content
    assert client.get("/admin/audit/event/", {"q": "not a uuid"}).status_code == 200
    event = Event.objects.get(action="server.removed")
    assert client.get(f"/admin/audit/event/{event.pk}/change/").status_code == 200
    assert client.post(f"/admin/audit/event/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/audit/event/add/").status_code == 403
    answer = client.post(
        "/admin/audit/event/", {"action": "export", "_selected_action": [str(event.pk)], "select_across": "0"}
    )
    assert [row[1] for row in _table(answer)] == ["action", "server.removed"]
    assert Event.objects.filter(action="audit.exported", actor_id=trail.sam.pk).exists()


def test_limited_staff_read_it_and_others_do_not(trail, sign_in):
    trail.sam.is_superuser = False
    trail.sam.save()
    assert sign_in(trail.sam).get("/admin/audit/event/").status_code == 200
    trail.bob.is_staff = False
    trail.bob.save()
    assert sign_in(trail.bob).get("/admin/audit/event/").status_code == 302
