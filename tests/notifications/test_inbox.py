"""The inbox is the person's own: read, counted, and empty of what the person may not see any more."""

from __future__ import annotations

import uuid

import pytest

from apps.notifications import inbox
from apps.notifications.dispatching import dispatch_next
from apps.notifications.models import Notice
from apps.notifications.publishing import publish
from apps.orgs.access import Scope, narrow
from apps.orgs.models import Membership


@pytest.fixture
def notice(cast, make_event):
    make_event(title="Deployment 3 <script>alert(1)</script> failed", path="/o/acme/")
    while dispatch_next():
        pass
    return Notice.objects.get(user=cast.alice, event__kind="deploy.failed")


def test_the_bell_counts_what_is_unread(cast, sign_in, notice):
    client = sign_in(cast.alice)
    assert inbox.unread_count(cast.alice) == 1
    assert "1<span" in client.get("/inbox/count/").content.decode()
    assert 'data-running="1"' in client.get("/o/acme/").content.decode()
    client.post("/inbox/read/")
    assert inbox.unread_count(cast.alice) == 0
    assert "nothing unread" in client.get("/o/acme/").content.decode()
    assert inbox.unread_count(cast.anna) == 1, "others have theirs"


def test_opening_reads_it_and_leads_on(cast, sign_in, notice):
    client = sign_in(cast.alice)
    answer = client.get(f"/inbox/{notice.pk}/")
    assert (answer.status_code, answer.url) == (302, "/o/acme/")
    notice.refresh_from_db()
    assert notice.read_at is not None
    client.post(f"/inbox/{notice.pk}/mark/", {"as": "unread"})
    notice.refresh_from_db()
    assert notice.read_at is None
    for _ in range(2):
        client.post(f"/inbox/{notice.pk}/mark/", {"as": "read"})
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_the_list_escapes_and_filters(cast, sign_in, notice):
    client = sign_in(cast.alice)
    page = client.get("/inbox/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "Deployment 3" in client.get("/inbox/?show=unread&organization=acme").content.decode()
    assert "Deployment 3" not in client.get("/inbox/?organization=umbrella").content.decode()
    assert client.get("/inbox/?organization=%00&page=x").status_code == 200
    client.post("/inbox/read/")
    assert "You have read everything" in client.get("/inbox/?show=unread").content.decode()


@pytest.mark.parametrize("person", ["anna", "charlie", "sam"])
def test_nobody_opens_or_marks_anothers(cast, sign_in, notice, person):
    client = sign_in(getattr(cast, person))
    assert client.get(f"/inbox/{notice.pk}/").status_code == 404
    assert client.post(f"/inbox/{notice.pk}/mark/").status_code == 404
    assert client.get(f"/inbox/{uuid.uuid4()}/").status_code == 404
    client.post("/inbox/read/")
    notice.refresh_from_db()
    assert notice.read_at is None


def test_who_left_finds_nothing_of_it(cast, sign_in, notice):
    Membership.objects.filter(user=cast.anna).delete()
    hers = Notice.objects.get(user=cast.anna, event=notice.event)
    client = sign_in(cast.anna)
    assert client.get(f"/inbox/{hers.pk}/").status_code == 404
    assert "Deployment 3" not in client.get("/inbox/").content.decode()
    assert inbox.unread_count(cast.anna) == 0


def test_a_narrowed_look_sees_only_its_part(cast, notice):
    person = type(cast.alice).objects.get(pk=cast.alice.pk)
    narrow(person, Scope(organization_ids=frozenset({cast.umbrella.pk})))
    assert inbox.unread_count(person) == 0
    assert not Notice.objects.visible_to(person).exists()


def test_the_bell_stops_counting_somewhere(cast):
    for number in range(inbox.MOST_COUNTED + 5):
        publish(kind="webhook.paused", organization=cast.acme, title=f"Number {number}", key=f"k{number}")
    while dispatch_next():
        pass
    assert inbox.unread_count(cast.alice) == inbox.MOST_COUNTED


def test_counting_is_one_query(cast, notice, django_assert_num_queries):
    person = type(cast.alice).objects.get(pk=cast.alice.pk)
    inbox.unread_count(person)
    with django_assert_num_queries(1):
        inbox.unread_count(person)


def test_all_that_a_query_finds_are_read_by_one(cast, notice, django_assert_num_queries):
    """However many they are, their ids stay in the database."""
    found = Notice.objects.filter(event=notice.event, read_at=None).order_by().values_list("pk", flat=True)
    with django_assert_num_queries(1):
        assert inbox.mark_read(user=cast.alice, notices=found) == 1
    assert inbox.mark_read(user=cast.alice, notices=[notice.pk]) == 0
    assert inbox.unread_count(cast.anna) == 1, "others have theirs"


def test_the_list_needs_a_constant_number_of_queries(cast, sign_in, make_event, django_assert_max_num_queries):
    client = sign_in(cast.alice)
    for number in range(12):
        make_event(title=f"Number {number}")
    while dispatch_next():
        pass
    with django_assert_max_num_queries(16):
        assert client.get("/inbox/").status_code == 200


@pytest.mark.parametrize("address", ["/inbox/read/", f"/inbox/{uuid.UUID(int=0)}/mark/"])
def test_looking_changes_nothing(cast, sign_in, address):
    assert sign_in(cast.alice).get(address).status_code == 405
