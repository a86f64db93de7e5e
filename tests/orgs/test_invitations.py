"""Invitations: written, sent, revoked, and what lets nobody in."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client

from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.orgs import codes, guessing, invitations
from apps.orgs.models import Invitation, InvitationUse, Membership
from apps.orgs.roles import Role
from tests.cast import make_cast, make_person
from tests.factories import make_project

PAGE = "/o/acme/settings/invitations/"


@pytest.fixture(autouse=True)
def _no_counted_guesses():
    cache.clear()


def invite(cast, **more) -> Invitation:
    return invitations.invite(organization=cast.acme, actor=cast.alice, **({"role": "developer"} | more))


def verified(user) -> None:
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def is_member(user, organization) -> bool:
    return Membership.objects.filter(user=user, organization=organization).exists()


def test_a_mail_leads_the_person_in(cast, sign_in, mailoutbox):
    dora = make_person("Dora")
    verified(dora)
    form = {"email": "Dora@Example.com", "role": "viewer", "days": 3, "max_uses": 1, "message": "Welcome <b>!"}
    assert sign_in(cast.anna).post(PAGE, form).status_code == 302
    invitation = Invitation.objects.get()
    mail = mailoutbox[0]
    assert mail.to == ["dora@example.com"]
    assert "Acme via" in mail.from_email
    link = f"/join/{invitation.link_token}/"
    html = mail.alternatives[0][0]
    assert link in mail.body
    assert link in html
    assert "Welcome &lt;b&gt;!" in html
    client = sign_in(dora)
    assert "Join Acme" in client.get(link).content.decode()
    assert client.post(link).url == "/o/acme/"
    assert Membership.objects.get(user=dora).role == Role.VIEWER
    invitation.refresh_from_db()
    assert (invitation.state, invitation.uses) == ("accepted", 1)
    assert InvitationUse.objects.get().user == dora


def test_a_mail_is_for_the_verified_address_alone(cast, sign_in):
    dora = make_person("Dora")
    invitation = invite(cast, email="dora@example.com")
    link = f"/join/{invitation.link_token}/"
    for person in (dora, cast.charlie):  # not verified; somebody else
        assert sign_in(person).post(link).status_code == 403
        assert not is_member(person, cast.acme)
    verified(dora)
    assert sign_in(dora).post(link).status_code == 302


def test_the_page_of_a_link_tells_a_stranger_no_address(cast):
    page = Client().get(f"/join/{invite(cast, email='dora@example.com').link_token}/")
    assert page.status_code == 200
    assert b"dora@" not in page.content
    assert page.headers["Cache-Control"].startswith("max-age=0")


def test_nobody_joins_without_signing_in(cast):
    link = f"/join/{invite(cast).link_token}/"
    assert Client().post(link).status_code == 302
    assert Membership.objects.filter(organization=cast.acme).count() == 4


def test_a_code_is_handed_on_in_any_writing(cast, sign_in):
    invitation = invite(cast, max_uses=2)
    code = invitation.code
    assert len(code) == 6
    assert set(code) <= set(codes.ALPHABET)
    client = sign_in(cast.charlie)
    answer = client.post("/join/", {"code": f" {code[:3].lower()}-{code[3:]} "})
    assert answer.url == f"/join/{invitation.link_token}/"
    client.post(answer.url)
    assert is_member(cast.charlie, cast.acme)


def test_a_code_is_never_stored_readable(cast):
    invitation = invite(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orgs_invitation WHERE id = %s", [invitation.pk])
        row = str(cursor.fetchone())
    assert invitation.code not in row
    assert invitation.link_token not in row


def test_nobody_is_invited_as_owner(cast, sign_in):
    form = {"email": "x@example.com", "role": "owner", "days": 3, "max_uses": 1}
    assert sign_in(cast.alice).post(PAGE, form).status_code == 422
    with pytest.raises(Problem) as caught:
        invite(cast, role="owner")
    assert caught.value.code == "orgs.owner_not_assignable"
    invitation = invite(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(role="owner")
    assert Invitation.objects.count() == 1


def test_who_does_not_manage_members_invites_nobody(cast):
    with pytest.raises(PermissionDenied):
        invitations.invite(organization=cast.acme, role="developer", actor=cast.bob)


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 0},
        {"days": 31},
        {"max_uses": 0},
        {"max_uses": 501},
        {"email": "nobody"},
        {"email": "a@b.example\nBcc: all@example.com"},
        {"role": "emperor"},
        {"message": "x" * 1001},
        {"message": "bell\a"},
        {"email": "a@example.com", "max_uses": 2},
    ],
)
def test_bad_input_is_refused(cast, wrong):
    with pytest.raises((ValidationError, Problem)):
        invite(cast, **wrong)
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize("wrong", [{"days": "soon"}, {"max_uses": "-1"}, {"projects": ["x"]}, {"role": ""}])
def test_a_bad_form_is_shown_again(cast, sign_in, wrong, mailoutbox):
    form = {"email": "x@example.com", "role": "viewer", "days": 3, "max_uses": 1} | wrong
    assert sign_in(cast.alice).post(PAGE, form).status_code == 422
    assert mailoutbox == []


def test_a_member_or_an_invited_address_is_not_invited_again(cast):
    with pytest.raises(Conflict):
        invite(cast, email="bob@example.com")
    invite(cast, email="dora@example.com")
    with pytest.raises(Conflict) as caught:
        invite(cast, email="Dora@example.com")
    assert caught.value.code == "orgs.already_invited"


def test_projects_restrict_developers_and_are_of_this_organization(cast):
    mine, theirs = make_project(cast.acme), make_project(cast.umbrella, name="Theirs")
    assert invite(cast, projects=[mine]).project_ids == [mine.pk]
    with pytest.raises(ValidationError):
        invite(cast, projects=[theirs])
    with pytest.raises(Problem) as caught:
        invite(cast, role="viewer", projects=[mine])
    assert caught.value.code == "orgs.restriction_needs_developer"


def test_the_invited_developer_reaches_the_named_projects_alone(cast, sign_in):
    named, other = make_project(cast.acme, name="Named"), make_project(cast.acme, name="Other")
    invitation = invite(cast, projects=[named])
    client = sign_in(cast.charlie)
    client.post(f"/join/{invitation.link_token}/")
    assert client.get(f"/o/acme/p/{named.slug}/").status_code == 200
    assert client.get(f"/o/acme/p/{other.slug}/").status_code == 404


def test_expired_revoked_used_up_and_forgotten_let_nobody_in(cast, sign_in):
    expired, revoked, used = (invite(cast) for _ in range(3))
    invitations.revoke(invitation=revoked, actor=cast.alice)
    invitations.accept(invitation=used, user=make_person("Dora"))
    client = sign_in(cast.charlie)
    with clock.freeze(clock.now() + timedelta(days=8)):
        for invitation in (expired, revoked, used):
            assert client.post(f"/join/{invitation.link_token}/").status_code == 409
            assert "lets nobody in" in client.get(f"/join/{invitation.link_token}/").content.decode()
        invitations.clean_up(organization=cast.acme, actor=cast.alice)
        with pytest.raises(Conflict):
            invitations.accept(invitation=expired, user=cast.charlie)
    assert client.post(f"/join/{expired.link_token}/").status_code == 404
    assert not is_member(cast.charlie, cast.acme)
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize("link", ["x", "..", "%00", "a" * 500])
def test_a_made_up_link_is_not_found(cast, sign_in, link):
    assert sign_in(cast.charlie).get(f"/join/{link}/").status_code == 404


def test_guessed_codes_are_counted_per_person(cast, sign_in):
    invitation = invite(cast)
    client = sign_in(cast.charlie)
    for _ in range(guessing.PER_PERSON):
        assert client.post("/join/", {"code": "AAAAAA"}).status_code == 404
    # Even the right one is not looked at any more.
    assert client.post("/join/", {"code": invitation.code}).status_code == 429


def test_guessed_codes_are_counted_per_address(cast, sign_in):
    for number in range(3):
        client = sign_in(make_person(f"G{number}"))
        for _ in range(guessing.PER_PERSON):
            client.post("/join/", {"code": "AAAAAA"}, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert sign_in(cast.charlie).post("/join/", {"code": "AAAAAA"}).status_code == 429


def test_right_codes_are_no_guesses(cast, sign_in):
    invitation = invite(cast)
    client = sign_in(cast.charlie)
    for _ in range(guessing.PER_PERSON + 5):
        assert client.post("/join/", {"code": invitation.code}).status_code == 302


def test_resend_makes_an_expired_one_valid_again(cast, sign_in, mailoutbox):
    invitation = invite(cast, email="dora@example.com", days=1)
    with clock.freeze(clock.now() + timedelta(days=2)):
        assert sign_in(cast.anna).post(f"{PAGE}{invitation.pk}/resend/").status_code == 302
        invitation.refresh_from_db()
        assert invitation.is_open
    assert len(mailoutbox) == 1
    invitations.revoke(invitation=invitation, actor=cast.alice)
    assert sign_in(cast.anna).post(f"{PAGE}{invitation.pk}/resend/").status_code == 409


def test_a_mail_server_that_is_away_leaves_the_invitation(cast, sign_in, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    form = {"email": "dora@example.com", "role": "viewer", "days": 3, "max_uses": 1}
    page = sign_in(cast.alice).post(PAGE, form, follow=True).content.decode()
    assert "could not be sent" in page
    assert Invitation.objects.get().mailed_at is None


def test_who_may_not_manage_members_sees_no_code(cast, sign_in):
    invitation = invite(cast)
    assert sign_in(cast.bob).get(PAGE).status_code == 403
    assert sign_in(cast.charlie).get(PAGE).status_code == 404
    for end in ("resend", "revoke"):
        assert sign_in(cast.bob).post(f"{PAGE}{invitation.pk}/{end}/").status_code == 403
        assert sign_in(cast.charlie).post(f"{PAGE}{invitation.pk}/{end}/").status_code == 404
    assert invitation.code in sign_in(cast.anna).get(PAGE).content.decode()


def test_an_invitation_of_another_organization_is_not_found(cast, sign_in):
    theirs = invitations.invite(organization=cast.umbrella, role="viewer", actor=cast.charlie)
    assert sign_in(cast.alice).post(f"{PAGE}{theirs.pk}/revoke/").status_code == 404


def test_a_message_is_words_and_never_markup(cast, sign_in):
    invitation = invite(cast, message="<script>alert(1)</script>")
    for page in (f"/join/{invitation.link_token}/", PAGE):
        content = sign_in(cast.alice).get(page).content.decode()
        assert "<script>alert(1)" not in content


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_take_no_more_places_than_there_are():
    cast = make_cast()
    invitation = invite(cast, max_uses=3)
    people = [make_person(f"P{number}") for number in range(20)]
    failures: list[Exception] = []

    def join(person) -> None:
        try:
            invitations.accept(invitation=Invitation.objects.get(pk=invitation.pk), user=person)
        except Conflict:
            pass
        except Exception as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=join, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    invitation.refresh_from_db()
    assert failures == []
    assert invitation.uses == 3
    assert Membership.objects.filter(organization=cast.acme).count() == 4 + 3
