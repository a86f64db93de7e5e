"""Staff look through a person's eyes: what they see, that nothing can be changed, and that it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Problem
from apps.orgs import services, support, view_as
from apps.orgs.models import Organization, SupportAccess, ViewAs
from apps.orgs.roles import Role
from tests.cast import make_person
from tests.factories import make_project

REASON = "She says that the list is empty"
BANNER = "You view the portal as"


@pytest.fixture
def opened(cast) -> SupportAccess:
    """Acme is open to Sam, and nothing else is."""
    SupportAccess.objects.all().delete()
    access = support.ask(organization=cast.acme, staff=cast.sam, reason=REASON, minutes=60)
    return support.grant(access=access, actor=cast.alice)


@pytest.fixture
def begin(cast, opened, sign_in):
    """Sam's browser, which looks as the person."""

    def begun(person):
        client = sign_in(cast.sam)
        answer = client.post("/admin/orgs/viewas/add/", {"email": person.email, "reason": REASON})
        assert (answer.status_code, answer.url) == (302, "/")
        return client

    return begun


def test_the_portal_is_that_of_the_person(cast, begin):
    client = begin(cast.vera)
    answer = client.get("/", follow=True)
    assert answer.redirect_chain == [("/o/acme/", 302)]
    page = answer.content.decode()
    assert f"{BANNER} Vera" in page
    assert "Platform administration" not in page
    assert client.get("/o/acme/settings/audit/").status_code == 403


def test_every_page_has_the_banner(cast, begin):
    client = begin(cast.alice)
    for address in ("/o/acme/", "/o/acme/projects/", "/o/acme/servers/", "/o/acme/activity/", "/o/acme/settings/"):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert f"{BANNER} Alice" in answer.content.decode(), address
    assert BANNER in client.get("/o/acme/nothing-there/").content.decode()


def test_begin_and_end_stand_in_the_trail(cast, begin):
    client = begin(cast.bob)
    assert client.post("/view-as/end/").status_code == 302
    begun, ended = (Event.objects.get(action=f"view_as.{what}") for what in ("begun", "ended"))
    for event in (begun, ended):
        assert (event.actor_id, event.target_id, event.organization_id) == (cast.sam.pk, cast.bob.pk, cast.acme.pk)
        assert event.after["reason"] == REASON
    assert client.get("/admin/").status_code == 200
    assert BANNER not in client.get("/o/acme/").content.decode()


def test_what_is_read_names_both(cast, begin):
    client = begin(cast.alice)
    assert client.get("/o/acme/settings/audit/export/").status_code == 200
    event = Event.objects.get(action="audit.exported")
    assert (event.actor_id, event.viewer_id, event.viewer_name) == (cast.alice.pk, cast.sam.pk, "Sam")


def test_only_open_organizations_are_there(cast, begin):
    second = services.create_organization(name="Second", owner=cast.bob)
    client = begin(cast.bob)
    assert client.get(f"/o/{second.slug}/").status_code == 404
    page = client.get("/o/acme/").content.decode()
    assert f"/o/{second.slug}/" not in page
    assert client.get("/o/umbrella/").status_code == 404


WRITES = (
    ("post", "/o/acme/settings/"),
    ("post", "/o/new/"),
    ("post", "/account/"),
    ("post", "/account/theme/"),
    ("post", "/account/logout/"),
    ("post", "/o/acme/projects/new/"),
    ("put", "/o/acme/"),
    ("delete", "/o/acme/"),
    ("patch", "/o/acme/"),
)


@pytest.mark.parametrize(("method", "address"), WRITES)
def test_nothing_is_written(cast, begin, method, address):
    client = begin(cast.alice)
    before = (Organization.objects.count(), Event.objects.count())
    answer = getattr(client, method)(address, {"name": "Taken over", "theme": "dark"})
    assert answer.status_code == 403
    assert b"Stop viewing" in answer.content
    assert (Organization.objects.count(), Event.objects.count()) == before
    cast.alice.refresh_from_db()
    assert cast.alice.theme == "system"


def test_rights_are_those_of_reading(cast, begin, opened):
    view = view_as.begin(staff=cast.sam, person=cast.alice, reason=REASON)
    person = view_as.narrowed_person(view)
    project = make_project(cast.acme)
    assert person.has_perm("project.view", project)
    for code in ("org.update", "org.delete", "project.environments.deploy", "project.environments.shell"):
        assert not person.has_perm(code, project if code.startswith("project") else cast.acme)
    assert not person.has_perm("org.view", cast.umbrella)


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/orgs/viewas/add/",
        "/account/",
        "/account/email/",
        "/account/2fa/",
        "/inbox/",
        "/join/",
        "/o/new/",
    ],
)
def test_what_is_the_persons_own_is_not_looked_at(cast, begin, address):
    assert begin(cast.alice).get(address).status_code == 403


def test_nested_views_are_refused(cast, begin, opened):
    client = begin(cast.alice)
    answer = client.post("/admin/orgs/viewas/add/", {"email": cast.bob.email, "reason": REASON})
    assert answer.status_code == 403
    assert ViewAs.objects.count() == 1
    with pytest.raises(Problem) as caught:
        view_as.begin(staff=cast.sam, person=cast.bob, reason=REASON)
    assert caught.value.code == "orgs.view_as_open"
    person = view_as.narrowed_person(ViewAs.objects.select_related("staff", "person").get())
    with pytest.raises(PermissionDenied):
        view_as.begin(staff=person, person=cast.bob, reason=REASON)


def test_staff_are_never_looked_through(cast, opened, sign_in):
    olga = make_person("Olga", is_staff=True)
    root = make_person("Root", is_superuser=True)
    services.add_member(organization=cast.acme, user=olga, role=Role.VIEWER, actor=cast.alice)
    services.add_member(organization=cast.acme, user=root, role=Role.VIEWER, actor=cast.alice)
    for person in (olga, root, cast.sam):
        with pytest.raises(Problem) as caught:
            view_as.begin(staff=cast.sam, person=person, reason=REASON)
        assert caught.value.code == "orgs.view_as_not_of_staff"
    answer = sign_in(cast.sam).post("/admin/orgs/viewas/add/", {"email": olga.email, "reason": REASON}, follow=True)
    assert b"Nobody looks through the eyes of Olga" in answer.content
    with pytest.raises(IntegrityError), transaction.atomic():
        ViewAs.objects.create(staff=cast.sam, person=cast.sam, reason=REASON, expires_at=clock.now())


def test_without_an_open_organization_there_is_nothing_to_look_at(cast, opened):
    for person in (cast.charlie, make_person("Nora")):
        with pytest.raises(Problem) as caught:
            view_as.begin(staff=cast.sam, person=person, reason=REASON)
        assert caught.value.code == "orgs.view_as_nothing_open"
    support.end(access=opened, actor=cast.sam)
    with pytest.raises(Problem):
        view_as.begin(staff=cast.sam, person=cast.alice, reason=REASON)


def test_people_do_not_view_as(cast, opened):
    for person in (cast.alice, cast.anna):
        with pytest.raises(PermissionDenied):
            view_as.begin(staff=person, person=cast.bob, reason=REASON)


def _is_over(client) -> bool:
    answer = client.get("/o/acme/")
    return answer.status_code == 302 and answer.url == "/admin/"


def test_it_ends_after_half_an_hour(cast, begin):
    client = begin(cast.alice)
    view = ViewAs.objects.get()
    assert view.expires_at - view.created_at <= timedelta(minutes=30, seconds=5)
    with clock.freeze(view.expires_at + timedelta(seconds=1)):
        assert _is_over(client)
    view.refresh_from_db()
    assert view.ended_at == view.expires_at
    assert Event.objects.filter(action="view_as.ended").count() == 1


def test_it_ends_with_the_access(cast, begin, opened):
    client = begin(cast.alice)
    support.end(access=opened, actor=cast.alice)
    assert _is_over(client)


def test_it_ends_when_the_person_becomes_staff_or_is_locked_out(cast, begin):
    client = begin(cast.bob)
    cast.bob.is_active = False
    cast.bob.save()
    assert _is_over(client)


def test_it_ends_when_the_person_leaves(cast, begin):
    client = begin(cast.bob)
    cast.bob.memberships.all().delete()
    assert client.get("/o/acme/").status_code in (302, 404)


def test_views_that_nobody_came_back_to_are_ended_by_the_clock(cast, opened):
    view = view_as.begin(staff=cast.sam, person=cast.bob, reason=REASON)
    assert view_as.end_overdue() == 0
    with clock.freeze(view.expires_at + timedelta(minutes=1)):
        assert view_as.end_overdue() == 1
        assert view_as.end_overdue() == 0
    assert Event.objects.filter(action="view_as.ended").count() == 1


def test_a_session_cannot_take_somebody_elses_view(cast, opened, sign_in):
    view = view_as.begin(staff=cast.sam, person=cast.alice, reason=REASON)
    for person, value in ((cast.bob, str(view.pk)), (cast.bob, "not a uuid"), (cast.bob, ["x"])):
        client = sign_in(person)
        session = client.session
        session["view_as"] = value
        session.save()
        assert client.get("/o/acme/").status_code == 302
        assert client.get("/o/acme/").context["user"] == cast.bob
    view.refresh_from_db()
    assert view.ended_at is None


@pytest.mark.parametrize(
    "values", [{"email": "nobody@example.com"}, {"email": "x"}, {"reason": ""}, {"reason": "x" * 501}]
)
def test_bad_forms_begin_nothing(cast, opened, sign_in, values):
    form = {"email": cast.bob.email, "reason": REASON} | values
    assert sign_in(cast.sam).post("/admin/orgs/viewas/add/", form).status_code == 200
    assert not ViewAs.objects.exists()


def test_a_reason_of_two_lines_is_refused(cast, opened, sign_in):
    form = {"email": cast.bob.email, "reason": "one\u2028two"}
    answer = sign_in(cast.sam).post("/admin/orgs/viewas/add/", form, follow=True)
    assert b"printable characters" in answer.content
    assert not ViewAs.objects.exists()


def test_ending_without_viewing_is_harmless(cast, sign_in):
    assert sign_in(cast.alice).post("/view-as/end/").status_code == 302
    assert sign_in(cast.alice).get("/view-as/end/").status_code == 405
