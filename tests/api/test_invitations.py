"""Inviting by the API: who may, what they give, and who sees the code."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from apps.api.models import IdempotentAnswer
from apps.audit.models import Event
from apps.core import clock
from apps.orgs import custom_roles, invitations
from apps.orgs.models import Invitation
from apps.orgs.project_roles import set_team_role
from tests.factories import make_project

PATH = "/invitations"


def by_mail(**more: object) -> dict[str, object]:
    return {"email": "new@example.com", "role": "developer"} | more


@pytest.fixture
def posted(alice, django_capture_on_commit_callbacks):
    """Sends as Alice's program, and lets what waits for the commit happen."""

    def send(path: str, body: object = None, **headers: str):
        with django_capture_on_commit_callbacks(execute=True):
            return alice.post(path, body, **headers)

    return send


def test_by_mail(cast, alice, posted):
    project = make_project(cast.acme)
    answer = posted(PATH, by_mail(project_ids=[str(project.pk)] * 2, message="Welcome", days=3))
    made = answer.json()
    assert answer.status_code == 201, made
    assert (made["state"], made["uses"], made["max_uses"]) == ("pending", 0, 1)
    assert (made["project_ids"], made["invited_by"]) == ([str(project.pk)], "alice@example.com")
    assert len(made["code"]) == 6
    assert made["link"].startswith("http")
    assert made["link"] in mail.outbox[0].body
    assert mail.outbox[0].to == ["new@example.com"]
    shown = alice.get(f"{PATH}/{made['id']}").json()
    assert shown["mailed_at"] is not None
    assert [row["id"] for row in alice.get(PATH).json()["results"]] == [made["id"]]


def test_a_code_for_several(cast, posted):
    made = posted(PATH, {"max_uses": 20}).json()
    assert (made["email"], made["role"], made["max_uses"], made["mailed_at"]) == (None, "developer", 20, None)
    assert not mail.outbox
    membership = invitations.accept(invitation=invitations.find_by_code(made["code"]), user=cast.charlie)
    assert (membership.organization, membership.role) == (cast.acme, "developer")


def managing(cast, program):
    """Bob's program, who may manage members by a role of the organization's own, and reaches his team's projects."""
    role = custom_roles.create_role(
        organization=cast.acme, name="People", codes=["org.members.manage"], actor=cast.alice
    )
    custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice)
    return program(cast.acme, cast.bob)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (by_mail(role="owner"), 422, "orgs.owner_not_assignable"),
        (by_mail(role="king"), 422, "validation_error"),
        (by_mail(email="nobody"), 422, "validation_error"),
        (by_mail(days=31), 422, "validation_error"),
        (by_mail(max_uses=2), 422, "validation_error"),
        (by_mail(project_ids=["x"]), 422, "validation_error"),
        (by_mail(code="AAAAAA"), 422, "validation_error"),
        (by_mail(email="Vera@example.com"), 409, "orgs.already_a_member"),
        ([], 422, "validation_error"),
    ],
)
def test_what_is_refused(cast, posted, body, status, error):
    answer = posted(PATH, body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert not Invitation.objects.exists()
    assert not mail.outbox


def test_projects_are_the_organizations_and_for_developers(cast, posted):
    own, foreign = make_project(cast.acme), make_project(cast.umbrella)
    assert posted(PATH, by_mail(project_ids=[str(foreign.pk)])).status_code == 422
    answer = posted(PATH, by_mail(role="viewer", project_ids=[str(own.pk)]))
    assert answer.json()["error"] == "orgs.restriction_needs_developer"


def test_sending_again_makes_it_last(cast, alice, posted):
    made = posted(PATH, by_mail()).json()
    past = clock.now() - timedelta(days=1)
    Invitation.objects.update(expires_at=past)
    expired = alice.get(f"{PATH}/{made['id']}").json()
    assert (expired["state"], expired["code"], expired["link"]) == ("expired", None, None)
    again = posted(f"{PATH}/{made['id']}/resend", {"days": 2}).json()
    assert (again["state"], again["code"]) == ("pending", made["code"])
    assert len(mail.outbox) == 2
    assert posted(f"{PATH}/{made['id']}/resend", {"days": 0}).status_code == 422


def test_revoking_twice_is_harmless(cast, alice, posted):
    made = posted(PATH, by_mail()).json()
    revoked = posted(f"{PATH}/{made['id']}/revoke").json()
    assert (revoked["state"], revoked["code"], revoked["link"]) == ("revoked", None, None)
    for action in ("revoke", "resend"):
        again = posted(f"{PATH}/{made['id']}/{action}")
        assert (again.status_code, again.json()["error"]) == (409, "orgs.invitation_over")
    assert Event.objects.filter(action="invitation.revoked").count() == 1
    assert len(mail.outbox) == 1


def test_cleaning_up(cast, posted):
    kept, gone = posted(PATH).json(), posted(PATH, by_mail()).json()
    posted(f"{PATH}/{gone['id']}/revoke")
    assert posted(f"{PATH}/clean-up").json() == {"forgotten": 1}
    assert posted(f"{PATH}/clean-up").json() == {"forgotten": 0}
    assert str(Invitation.objects.get().pk) == kept["id"]


def test_sent_twice_under_one_key_it_invites_once(cast, posted):
    first, second = (posted(PATH, by_mail(), **{"Idempotency-Key": "one"}) for _ in range(2))
    assert (second.status_code, second.json()) == (201, first.json())
    assert (Invitation.objects.count(), len(mail.outbox)) == (1, 1)
    assert IdempotentAnswer.objects.count() == 1


def test_a_mail_server_that_is_away(cast, alice, posted, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    made = posted(PATH, by_mail())
    assert made.status_code == 201
    assert alice.get(f"{PATH}/{made.json()['id']}").json()["mailed_at"] is None


def test_nobody_gives_or_reads_more_than_they_have(cast, posted, program):
    bobs = managing(cast, program)
    theirs = posted(PATH, {"role": "admin"}).json()
    shown = bobs.get(f"{PATH}/{theirs['id']}").json()
    assert (shown["role"], shown["code"], shown["link"]) == ("admin", None, None)
    refused = bobs.post(PATH, {"role": "admin"})
    assert (refused.status_code, refused.json()["error"]) == (403, "orgs.role_beyond_own")
    assert bobs.post(f"{PATH}/{theirs['id']}/resend").json()["error"] == "orgs.role_beyond_own"
    assert len(bobs.post(PATH, {"role": "developer"}).json()["code"]) == 6


def test_a_project_that_is_not_seen_is_not_told(cast, posted, program):
    project = make_project(cast.acme)
    set_team_role(team=cast.crew, project=project, role=None, actor=cast.alice)
    bobs = managing(cast, program)
    made = posted(PATH, {"project_ids": [str(project.pk)]}).json()
    assert made["project_ids"] == [str(project.pk)]
    shown = bobs.get(f"{PATH}/{made['id']}").json()
    assert (shown["project_ids"], shown["code"], shown["link"]) == ([], None, None)
    assert bobs.post(PATH, {"project_ids": [str(project.pk)]}).status_code == 422


@pytest.mark.parametrize("kind", ["rw", "ro"])
def test_a_projects_key_and_a_reading_key_see_none(cast, posted, program, kind):
    posted(PATH, by_mail())
    narrowed = program(cast.acme, cast.alice, kind, project=make_project(cast.acme) if kind == "rw" else None)
    answer = narrowed.get(PATH)
    assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")
    refused = narrowed.post(PATH, by_mail(email="other@example.com"))
    assert refused.json()["error"] == ("permission_denied" if kind == "rw" else "read_only_key")


def test_strangers_and_members_without_the_right(cast, posted, program):
    made = posted(PATH, by_mail()).json()
    stranger = program(cast.umbrella, cast.charlie)
    veras = program(cast.acme, cast.vera)
    for path in (f"{PATH}/{made['id']}/revoke", f"{PATH}/{made['id']}/resend"):
        assert stranger.post(path).status_code == 404
        assert veras.post(path).status_code == 403
    assert stranger.get(PATH).json()["results"] == []
    assert Invitation.objects.get().state == "pending"
