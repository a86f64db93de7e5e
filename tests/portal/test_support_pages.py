"""The pages of support access: the Owner's in the portal, the staff's in the admin."""

from __future__ import annotations

import pytest

from apps.orgs import support
from apps.orgs.models import SupportAccess

REASON = "The payroll module does not start"
PAGE = "/o/acme/settings/support/"


@pytest.fixture
def sam(cast):
    """Staff without any way in: what the cast has is ended."""
    SupportAccess.objects.all().delete()
    return cast.sam


@pytest.fixture
def asked(cast, sam) -> SupportAccess:
    return support.ask(organization=cast.acme, staff=sam, reason=REASON, minutes=240)


def test_the_page_shows_and_answers(cast, asked, sign_in):
    alice, anna = sign_in(cast.alice), sign_in(cast.anna)
    page = alice.get(PAGE).content.decode()
    assert REASON in page
    assert f"{PAGE}{asked.pk}/grant/" in page
    assert f"{PAGE}{asked.pk}/grant/" not in anna.get(PAGE).content.decode()
    assert anna.post(f"{PAGE}{asked.pk}/grant/").status_code == 403
    assert alice.post(f"{PAGE}{asked.pk}/grant/", {"minutes": "60"}).status_code == 302
    asked.refresh_from_db()
    assert (asked.state, asked.minutes) == ("active", 60)
    assert alice.post(f"{PAGE}{asked.pk}/grant/").status_code == 409
    assert alice.get(f"{PAGE}{asked.pk}/grant/").status_code == 405


@pytest.mark.parametrize("minutes", ["-1", "5", "1e3", "٣٠", "99999999999", "x"])
def test_odd_times_open_nothing_longer(cast, asked, sign_in, minutes):
    answer = sign_in(cast.alice).post(f"{PAGE}{asked.pk}/grant/", {"minutes": minutes})
    asked.refresh_from_db()
    assert answer.status_code in (302, 422)
    assert asked.minutes == 240


def test_another_organizations_request_is_not_there(cast, sam, sign_in):
    theirs = support.ask(organization=cast.umbrella, staff=sam, reason=REASON, minutes=60)
    for address in (f"{PAGE}{theirs.pk}/grant/", f"/o/umbrella/settings/support/{theirs.pk}/grant/"):
        assert sign_in(cast.alice).post(address).status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == "waiting"


def test_a_reason_with_a_script_stays_text(cast, sam, sign_in):
    support.ask(organization=cast.acme, staff=sam, reason="<script>alert(1)</script>", minutes=60)
    assert "<script>alert" not in sign_in(cast.alice).get(PAGE).content.decode()


def _form(**values: object) -> dict[str, object]:
    return {"slug": "acme", "kind": "consent", "reason": REASON, "minutes": "60"} | values


def test_staff_ask_in_the_admin(cast, sam, sign_in):
    client = sign_in(sam)
    address = "/admin/orgs/supportaccess/add/"
    assert client.get(address).status_code == 200
    assert client.post(address, _form()).status_code == 302
    access = SupportAccess.objects.get()
    assert (access.state, access.staff, access.organization) == ("waiting", sam, cast.acme)
    again = client.post(address, _form(), follow=True)
    assert b"open to you already" in again.content
    assert client.get(f"/admin/orgs/supportaccess/{access.pk}/change/").status_code == 200
    assert client.post(f"/admin/orgs/supportaccess/{access.pk}/change/", _form()).status_code == 403
    client.post("/admin/orgs/supportaccess/", {"action": "end_selected", "_selected_action": [str(access.pk)]})
    access.refresh_from_db()
    assert access.state == "refused"


@pytest.mark.parametrize(
    "values", [{"slug": "nothing"}, {"slug": "../x"}, {"minutes": "99999"}, {"kind": "other"}, {"reason": ""}]
)
def test_bad_forms_open_nothing(cast, sam, sign_in, values):
    assert sign_in(sam).post("/admin/orgs/supportaccess/add/", _form(**values)).status_code == 200
    assert not SupportAccess.objects.exists()


def test_an_emergency_in_the_admin(cast, sam, sign_in):
    client = sign_in(sam)
    client.post("/admin/orgs/supportaccess/add/", _form(kind="emergency", minutes="240"))
    assert SupportAccess.objects.get().state == "active"
    answer = client.post(
        "/admin/orgs/supportaccess/add/", _form(slug="umbrella", kind="emergency", minutes="1440"), follow=True
    )
    assert b"15 to 240 minutes" in answer.content


def test_limited_staff_ask_and_people_do_not(cast, sam, sign_in):
    sam.is_superuser = False
    sam.save()
    assert sign_in(sam).post("/admin/orgs/supportaccess/add/", _form()).status_code == 302
    assert SupportAccess.objects.get().staff == sam
    assert sign_in(cast.alice).get("/admin/orgs/supportaccess/add/").status_code == 302
