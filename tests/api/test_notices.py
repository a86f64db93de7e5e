"""The inbox and the preferences of a key's person, by the API."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from apps.api.models import ApiKey
from apps.core import clock
from apps.notifications.models import Event, Notice, Preference
from tests.factories import make_project

_numbers = itertools.count()
PREFERENCES = "/notification-preferences"


def tell(person: Any, organization: Any, project: Any = None, kind: str = "deploy.failed") -> Notice:
    event = Event.objects.create(
        organization=organization,
        project=project,
        kind=kind,
        key=f"event-{next(_numbers)}",
        title=f"{kind} happened",
        path="/somewhere/",
        happened_at=clock.now(),
    )
    return Notice.objects.create(user=person, event=event)


@pytest.fixture
def project(cast):
    return make_project(cast.acme)


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


class TestInbox:
    def test_read_and_not_read_again(self, cast, alice, project):
        first, second = tell(cast.alice, cast.acme, project), tell(cast.alice, cast.acme, kind="quota.warning")
        assert ids(alice.get("/notices")) == [str(second.pk), str(first.pk)]
        shown = alice.get("/notices").json()["results"][1]
        assert (shown["kind"], shown["level"], shown["project_id"]) == ("deploy.failed", "error", str(project.pk))
        assert shown["url"].endswith("/somewhere/")
        assert alice.get("/notices/count").json() == {"unread": 2}
        read = [alice.post(f"/notices/{first.pk}/read").json()["read_at"] for _ in range(2)]
        assert read[0] is not None
        assert read[0] == read[1]
        assert ids(alice.get("/notices?unread=true")) == [str(second.pk)]
        assert [alice.post(f"/notices/{first.pk}/unread").json()["read_at"] for _ in range(2)] == [None, None]
        assert [alice.post("/notices/read").json() for _ in range(2)] == [{"unread": 0}] * 2
        assert alice.get("/notices/count").json() == {"unread": 0}

    def test_nobody_elses(self, cast, alice, program):
        theirs = tell(cast.bob, cast.acme)
        assert ids(alice.get("/notices")) == []
        assert alice.post(f"/notices/{theirs.pk}/read").status_code == 404
        assert program(cast.umbrella, cast.charlie).post(f"/notices/{theirs.pk}/read").status_code == 404
        theirs.refresh_from_db()
        assert theirs.read_at is None

    def test_a_key_reaches_its_organization_alone(self, cast, program):
        from apps.orgs.services import add_member

        add_member(organization=cast.umbrella, user=cast.alice, role="viewer", actor=cast.charlie)
        here, there = tell(cast.alice, cast.acme), tell(cast.alice, cast.umbrella)
        alices = program(cast.acme, cast.alice)
        assert ids(alices.get("/notices")) == [str(here.pk)]
        assert alices.post(f"/notices/{there.pk}/read").status_code == 404
        alices.post("/notices/read")
        there.refresh_from_db()
        assert there.read_at is None

    def test_a_projects_key_reaches_its_project_alone(self, cast, program, project):
        inside = tell(cast.alice, cast.acme, project)
        tell(cast.alice, cast.acme, make_project(cast.acme, "Other"))
        outside = tell(cast.alice, cast.acme, kind="quota.warning")
        narrowed = program(cast.acme, cast.alice, project=project)
        assert ids(narrowed.get("/notices")) == [str(inside.pk)]
        assert narrowed.post(f"/notices/{outside.pk}/read").status_code == 404
        assert narrowed.get("/notices/count").json() == {"unread": 1}

    def test_a_reading_key_reads_and_is_told_what_it_may_read(self, cast, program, project):
        told = tell(cast.alice, cast.acme, project)
        tell(cast.alice, cast.acme, kind="webhook.paused")
        reader = program(cast.acme, cast.alice, ApiKey.Kind.READ_ONLY)
        assert ids(reader.get("/notices")) == [str(told.pk)]
        assert reader.post(f"/notices/{told.pk}/read").json()["error"] == "read_only_key"

    def test_what_is_refused(self, alice):
        assert alice.get("/notices?unread=perhaps").status_code == 422
        assert alice.post("/notices/x/read").status_code == 404


class TestPreferences:
    @staticmethod
    def of(answer: Any, kind: str, channel: str) -> dict[str, Any]:
        row = next(one for one in answer.json()["preferences"] if one["kind"] == kind)
        return next(one for one in row["channels"] if one["channel"] == channel)

    def test_for_the_organization_and_a_project(self, cast, alice, project):
        choice = {"kind": "deploy.started", "channel": "mail", "wanted": True}
        for _ in range(2):
            answer = alice.patch(PREFERENCES, {"choices": [choice]})
        assert self.of(answer, "deploy.started", "mail") == {"channel": "mail", "chosen": True, "inherited": False}
        there = alice.get(f"{PREFERENCES}?project_id={project.pk}")
        assert there.json()["project_id"] == str(project.pk)
        assert self.of(there, "deploy.started", "mail") == {"channel": "mail", "chosen": None, "inherited": True}
        body = {"project_id": str(project.pk), "choices": [choice | {"wanted": False}]}
        assert self.of(alice.patch(PREFERENCES, body), "deploy.started", "mail")["chosen"] is False
        alice.patch(PREFERENCES, {"choices": [choice | {"wanted": None}]})
        kept = Preference.objects.get()
        assert (kept.user, kept.organization, kept.project, kept.is_wanted) == (cast.alice, cast.acme, project, False)

    def test_a_projects_key_chooses_for_its_project(self, cast, program, project):
        other = make_project(cast.acme, "Other")
        narrowed = program(cast.acme, cast.alice, project=project)
        choice = {"kind": "deploy.started", "channel": "inbox", "wanted": True}
        assert narrowed.patch(PREFERENCES, {"choices": [choice]}).json()["project_id"] == str(project.pk)
        assert Preference.objects.get().project == project
        assert narrowed.get(f"{PREFERENCES}?project_id={other.pk}").status_code == 422
        assert narrowed.patch(PREFERENCES, {"project_id": str(other.pk), "choices": [choice]}).status_code == 422

    @pytest.mark.parametrize(
        "choices",
        [
            [],
            "all",
            [{"kind": "deploy.started", "channel": "mail"}],
            [{"kind": "deploy.started", "channel": "pigeon", "wanted": True}],
            [{"kind": "nothing.known", "channel": "mail", "wanted": True}],
            [{"kind": "deploy.started", "channel": "mail", "wanted": "perhaps"}],
        ],
    )
    def test_what_is_refused(self, alice, choices):
        answer = alice.patch(PREFERENCES, {"choices": choices})
        assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")
        assert not Preference.objects.exists()

    def test_a_reading_key_reads_them(self, cast, program):
        reader = program(cast.acme, cast.vera, ApiKey.Kind.READ_ONLY)
        assert reader.get(PREFERENCES).status_code == 200
        assert reader.patch(PREFERENCES, {"choices": []}).json()["error"] == "read_only_key"
