"""The organization by the API: its settings, its Owner, its end."""

from __future__ import annotations

import pytest

from apps.api.models import ApiKey
from apps.audit.models import Event
from apps.orgs.models import Membership, Organization
from tests.factories import make_environment, make_project


def path_of(organization: Organization, action: str = "") -> str:
    return f"/organizations/{organization.pk}{action}"


def member(cast, person) -> Membership:
    return Membership.objects.get(organization=cast.acme, user=person)


class TestSettings:
    def test_what_changes(self, cast, alice):
        wanted = {"name": "Acme & Sons", "colour": "#2A5BD7", "audit_retention_days": 90}
        changed = alice.patch(path_of(cast.acme), wanted).json()
        assert (changed["name"], changed["colour"], changed["audit_retention_days"]) == ("Acme & Sons", "#2a5bd7", 90)
        assert (changed["slug"], changed["require_second_factor"], changed["delete_after"]) == ("acme", False, None)
        again = alice.patch(path_of(cast.acme), {"slug": "acme-and-sons", "require_second_factor": True}).json()
        assert (again["slug"], again["name"]) == ("acme-and-sons", "Acme & Sons")
        assert alice.get("/me").json()["organization"]["slug"] == "acme-and-sons"
        assert Event.objects.filter(action="organization.updated").count() == 2

    def test_the_same_again_changes_nothing(self, cast, alice):
        for _ in range(2):
            assert alice.patch(path_of(cast.acme), {"colour": "#2a5bd7"}).status_code == 200
        assert alice.patch(path_of(cast.acme), {}).status_code == 200
        assert Event.objects.filter(action="organization.updated").count() == 1

    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"slug": "umbrella"}, 409, "orgs.slug_taken"),
            ({"slug": "api"}, 409, "orgs.slug_taken"),
            ({"slug": "No Slug"}, 422, "validation_error"),
            ({"name": ""}, 422, "validation_error"),
            ({"colour": "green"}, 422, "validation_error"),
            ({"audit_retention_days": 1}, 422, "validation_error"),
            ({"delete_after": None}, 422, "validation_error"),
        ],
    )
    def test_what_is_refused(self, cast, alice, changes, status, error):
        answer = alice.patch(path_of(cast.acme), changes)
        assert (answer.status_code, answer.json()["error"]) == (status, error)

    def test_strangers_and_who_may_not(self, cast, alice, program):
        assert alice.patch(path_of(cast.umbrella), {"name": "Mine"}).status_code == 404
        assert program(cast.acme, cast.vera).patch(path_of(cast.acme), {"name": "Mine"}).status_code == 403
        narrowed = program(cast.acme, cast.alice, project=make_project(cast.acme))
        assert narrowed.patch(path_of(cast.acme), {"name": "Mine"}).status_code == 403


class TestOwnership:
    def test_it_is_handed_on(self, cast, alice):
        body = {"member_id": str(member(cast, cast.anna).pk), "confirmation": "Acme"}
        answer = alice.post(path_of(cast.acme, "/transfer"), body)
        assert (answer.status_code, answer.json()["role"], answer.json()["email"]) == (200, "owner", "anna@example.com")
        assert member(cast, cast.alice).role == "admin"
        again = alice.post(path_of(cast.acme, "/transfer"), body)
        assert (again.status_code, again.json()["error"]) == (403, "permission_denied")
        assert member(cast, cast.anna).role == "owner"

    def test_sent_twice_under_one_key_it_answers_the_same(self, cast, alice):
        body = {"member_id": str(member(cast, cast.anna).pk), "confirmation": "Acme"}
        answers = [alice.post(path_of(cast.acme, "/transfer"), body, **{"Idempotency-Key": "one"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert Event.objects.filter(action="organization.ownership_transferred").count() == 1

    @pytest.mark.parametrize("confirmation", ["acme", " Acme", "Umbrella"])
    def test_the_name_is_typed(self, cast, alice, confirmation):
        body = {"member_id": str(member(cast, cast.anna).pk), "confirmation": confirmation}
        answer = alice.post(path_of(cast.acme, "/transfer"), body)
        assert (answer.status_code, answer.json()["error"]) == (422, "orgs.confirmation_differs")
        del body["confirmation"]
        assert alice.post(path_of(cast.acme, "/transfer"), body).status_code == 422
        assert member(cast, cast.alice).role == "owner"

    def test_the_heir_is_a_member_who_can_act(self, cast, alice):
        stranger = Membership.objects.get(organization=cast.umbrella)
        for wanted in (str(stranger.pk), "x", None):
            body = {"member_id": wanted, "confirmation": "Acme"}
            assert alice.post(path_of(cast.acme, "/transfer"), body).status_code == 422
        cast.vera.is_active = False
        cast.vera.save()
        body = {"member_id": str(member(cast, cast.vera).pk), "confirmation": "Acme"}
        assert alice.post(path_of(cast.acme, "/transfer"), body).json()["error"] == "orgs.new_owner_not_able"

    def test_an_admin_a_stranger_and_lesser_keys(self, cast, program):
        body = {"member_id": str(member(cast, cast.anna).pk), "confirmation": "Acme"}
        answers = [
            program(cast.acme, cast.anna),
            program(cast.acme, cast.alice, project=make_project(cast.acme)),
            program(cast.acme, cast.alice, ApiKey.Kind.READ_ONLY),
            program(cast.umbrella, cast.charlie),
        ]
        found = [one.post(path_of(cast.acme, "/transfer"), body).status_code for one in answers]
        assert found == [403, 403, 403, 404]
        assert member(cast, cast.alice).role == "owner"


class TestTheEnd:
    def test_it_is_wished_for_and_taken_back(self, cast, alice):
        wished = alice.post(path_of(cast.acme, "/delete"), {"confirmation": "Acme"})
        assert wished.status_code == 200
        day = wished.json()["delete_after"]
        assert day is not None
        again = alice.post(path_of(cast.acme, "/delete"), {"confirmation": "Acme"}).json()
        assert again["delete_after"] == day
        assert alice.post("/invitations", {}).json()["error"] == "orgs.leaving"
        assert [alice.post(path_of(cast.acme, "/keep")).json()["delete_after"] for _ in range(2)] == [None, None]
        told = Event.objects.filter(action__in=["organization.deletion_requested", "organization.kept"])
        assert told.count() == 2

    def test_not_while_something_stands(self, cast, alice):
        environment = make_environment(make_project(cast.acme))
        answer = alice.post(path_of(cast.acme, "/delete"), {"confirmation": "Acme"})
        assert (answer.status_code, answer.json()["error"]) == (409, "orgs.in_use")
        assert environment.name in answer.json()["message"]

    def test_the_name_is_typed(self, cast, alice):
        answer = alice.post(path_of(cast.acme, "/delete"), {"confirmation": "acme"})
        assert answer.json()["error"] == "orgs.confirmation_differs"
        assert alice.post(path_of(cast.acme, "/delete")).status_code == 422
        assert Organization.objects.get(pk=cast.acme.pk).delete_after is None

    @pytest.mark.parametrize("action", ["/delete", "/keep"])
    def test_strangers_and_who_may_not(self, cast, program, action):
        answers = [
            program(cast.acme, cast.anna),
            program(cast.acme, cast.alice, project=make_project(cast.acme)),
            program(cast.acme, cast.alice, ApiKey.Kind.READ_ONLY),
            program(cast.umbrella, cast.charlie),
        ]
        found = [one.post(path_of(cast.acme, action), {"confirmation": "Acme"}).status_code for one in answers]
        assert found == [403, 403, 403, 404]
