"""Who may not invite any more keeps no code that they saw, whatever way the right was lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict
from apps.orgs import custom_roles, invitations, members, overrides, readers
from apps.orgs.models import Invitation, Membership, PermissionOverride
from apps.orgs.project_roles import set_person_role
from apps.orgs.roles import ProjectRole, Role
from tests.api.conftest import make_program
from tests.cast import make_person
from tests.factories import make_project
from tests.lost_keys import lose

PAGE = "/o/acme/settings/invitations/"
MANAGE = "org.members.manage"


@pytest.fixture(autouse=True)
def _no_counted_guesses():
    cache.clear()


@pytest.fixture
def recruiter(cast):
    """Acme's own role that may invite; Bob has it."""
    role = custom_roles.create_role(organization=cast.acme, name="Recruiter", codes=[MANAGE], actor=cast.alice)
    custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice)
    return role


def invite(cast, **more) -> Invitation:
    return invitations.invite(organization=cast.acme, **({"actor": cast.alice, "role": "developer"} | more))


def let_bob_invite_for_an_hour(cast) -> None:
    overrides.set_override(
        organization=cast.acme,
        user=cast.bob,
        code=MANAGE,
        effect=PermissionOverride.Effect.GRANT,
        actor=cast.alice,
        expires_at=clock.now() + timedelta(hours=1),
    )


def on_the_page(sign_in, person, invitation) -> str:
    return sign_in(person).get(PAGE).content.decode()


def in_the_list(sign_in, person, invitation) -> str:
    return make_program(invitation.organization, person).get("/invitations").content.decode()


def by_its_address(sign_in, person, invitation) -> str:
    return make_program(invitation.organization, person).get(f"/invitations/{invitation.pk}").content.decode()


def by_sending_it_again(sign_in, person, invitation) -> str:
    answer = make_program(invitation.organization, person).post(f"/invitations/{invitation.pk}/resend", {"days": 7})
    return answer.content.decode()


def looked(sign_in, person, invitation, way=on_the_page) -> str:
    """The person is shown the code, and notes it down."""
    assert invitation.code in way(sign_in, person, invitation)
    return invitation.code


def demote(cast, recruiter) -> User:
    membership = Membership.objects.get(organization=cast.acme, user=cast.anna)
    members.change_role(membership=membership, role=Role.DEVELOPER, actor=cast.alice)
    return cast.anna


def deny(cast, recruiter) -> User:
    overrides.set_override(
        organization=cast.acme, user=cast.anna, code=MANAGE, effect=PermissionOverride.Effect.DENY, actor=cast.alice
    )
    return cast.anna


def take_role(cast, recruiter) -> User:
    custom_roles.take_role(assignment=recruiter.assignments.get(), actor=cast.alice)
    return cast.bob


def change_role(cast, recruiter) -> User:
    custom_roles.update_role(role=recruiter, name="Recruiter", codes=["org.teams.list"], actor=cast.alice)
    return cast.bob


def delete_role(cast, recruiter) -> User:
    custom_roles.delete_role(role=recruiter, actor=cast.alice)
    return cast.bob


@pytest.mark.parametrize("lose", [demote, deny, take_role, change_role, delete_role])
def test_a_code_that_they_saw_is_made_anew(cast, sign_in, recruiter, lose, django_capture_on_commit_callbacks):
    seen, expired = invite(cast, max_uses=5), invite(cast, days=1)
    for person in (cast.anna, cast.bob):
        looked(sign_in, person, expired)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=clock.now() - timedelta(hours=1))
    before = {one.pk: (one.code, one.link_token) for one in (seen, expired)}
    with django_capture_on_commit_callbacks(execute=True):
        person = lose(cast, recruiter)
    for one in (seen, expired):
        code, link = before[one.pk]
        assert invitations.find_by_code(code) is None
        assert invitations.find_by_link(link) is None
    seen.refresh_from_db()
    assert seen.state == "pending"
    assert invitations.accept(invitation=seen, user=make_person("Dora")).role == Role.DEVELOPER
    events = Event.objects.filter(action="invitation.code_renewed")
    assert {event.after["because_of"] for event in events} == {str(person)}
    assert events.count() == 2
    page = sign_in(cast.alice).get(PAGE).content.decode()
    assert seen.code in page
    assert "The code is a new one" in page


@pytest.mark.parametrize("way", [on_the_page, in_the_list, by_its_address, by_sending_it_again])
def test_wherever_they_saw_it(cast, sign_in, recruiter, way, django_capture_on_commit_callbacks):
    """By the portal or by the API; a second look harms nothing, and the new code is nobody's but who sees it."""
    invitation = invite(cast, max_uses=5)
    for _ in range(2):
        code = looked(sign_in, cast.anna, invitation, way)
    assert invitation.readers.get().user == cast.anna
    with django_capture_on_commit_callbacks(execute=True):
        demote(cast, recruiter)
    assert invitations.find_by_code(code) is None
    invitation.refresh_from_db()
    assert invitation.state == "pending"
    assert invitation.code not in way(sign_in, cast.anna, invitation)
    assert not invitation.readers.exists()
    assert looked(sign_in, cast.alice, invitation, way) != code


def test_what_they_did_not_see_and_what_is_for_one_address_goes_on(
    cast, sign_in, recruiter, django_capture_on_commit_callbacks
):
    mail = invite(cast, email="dora@example.com")
    looked(sign_in, cast.anna, mail)
    unseen = invite(cast)
    codes = (mail.code, unseen.code)
    with django_capture_on_commit_callbacks(execute=True):
        demote(cast, recruiter)
    for one in (mail, unseen):
        one.refresh_from_db()
    assert (mail.code, unseen.code) == codes
    dora = make_person("Dora")
    EmailAddress.objects.update_or_create(user=dora, email=dora.email, defaults={"verified": True, "primary": True})
    invitations.accept(invitation=invitations.find_by_code(mail.code), user=dora)


def test_what_they_wrote_is_revoked(cast, recruiter, django_capture_on_commit_callbacks):
    theirs = [invite(cast, actor=User.objects.get(pk=cast.bob.pk), **more) for more in ({}, {"email": "x@example.com"})]
    with django_capture_on_commit_callbacks(execute=True):
        take_role(cast, recruiter)
    assert {Invitation.objects.get(pk=one.pk).state for one in theirs} == {"revoked"}


def test_other_changes_leave_the_codes(cast, sign_in, recruiter, django_capture_on_commit_callbacks):
    """Anna loses something that a Developer does not have either, Bob a right by which he never saw this code."""
    invitation = invite(cast)
    code = looked(sign_in, cast.anna, invitation)
    with django_capture_on_commit_callbacks(execute=True):
        overrides.set_override(
            organization=cast.acme,
            user=cast.anna,
            code="org.audit.view",
            effect=PermissionOverride.Effect.DENY,
            actor=cast.alice,
        )
        take_role(cast, recruiter)
    assert invitations.find_by_code(code) == invitation


def test_a_right_that_ends_by_itself(cast, sign_in):
    """Nothing runs at that moment: the code is refused all the same, and a new one stands on the page."""
    let_bob_invite_for_an_hour(cast)
    invitation = invite(cast)
    code = looked(sign_in, cast.bob, invitation)
    with clock.freeze(clock.now() + timedelta(hours=2)):
        with pytest.raises(Conflict) as caught:
            invitations.accept(invitation=invitation, user=cast.charlie)
        assert caught.value.code == "orgs.invitation_over"
        page = sign_in(cast.alice).get(PAGE).content.decode()
        invitation.refresh_from_db()
        assert invitation.code != code
        assert invitation.code in page
        assert invitations.accept(invitation=invitation, user=cast.charlie).role == Role.DEVELOPER


@pytest.mark.parametrize("way", [in_the_list, by_its_address, by_sending_it_again])
def test_a_right_that_ends_by_itself_is_settled_by_the_api(cast, sign_in, way):
    """Before it shows a code; by its own address, and sent again, that one alone."""
    let_bob_invite_for_an_hour(cast)
    invitation, other = invite(cast), invite(cast)
    codes = [looked(sign_in, cast.bob, one) for one in (invitation, other)]
    with clock.freeze(clock.now() + timedelta(hours=2)):
        shown = way(sign_in, cast.alice, invitation)
    for one in (invitation, other):
        one.refresh_from_db()
    assert codes[0] not in shown
    assert invitation.code in shown
    assert (other.code == codes[1]) == (way is not in_the_list)


def test_what_its_writer_may_not_write_any_more_is_not_sent_again(cast, sign_in):
    let_bob_invite_for_an_hour(cast)
    theirs = invite(cast, actor=User.objects.get(pk=cast.bob.pk), email="dora@example.com")
    with clock.freeze(clock.now() + timedelta(hours=2)):
        answer = make_program(cast.acme, cast.alice).post(f"/invitations/{theirs.pk}/resend", {"days": 7})
    assert (answer.status_code, answer.json()["error"]) == (409, "orgs.invitation_over")


def test_settling_reads_no_code(cast, sign_in):
    looked(sign_in, cast.anna, invite(cast))
    with CaptureQueriesContext(connection) as queries:
        readers.settle(cast.acme.pk)
    assert not any('"link_token"' in query["sql"] or '"code"' in query["sql"] for query in queries)


def test_a_project_that_they_reach_no_more(cast, sign_in, recruiter, django_capture_on_commit_callbacks):
    """They may invite still, but a code for this project gives what they lost."""
    project = make_project(cast.acme, "Secret")
    set_person_role(project=project, user=cast.bob, role=ProjectRole.VIEWER, actor=cast.alice)
    cast.crew.group.user_set.clear()
    known = invite(cast, projects=[project])
    to_themselves = invite(cast, actor=User.objects.get(pk=cast.bob.pk), email="bob2@example.com", projects=[project])
    code = looked(sign_in, cast.bob, known)
    with django_capture_on_commit_callbacks(execute=True):
        set_person_role(project=project, user=cast.bob, role=None, actor=cast.alice)
    assert invitations.find_by_code(code) is None
    to_themselves.refresh_from_db()
    assert to_themselves.state == "revoked"


def test_a_code_that_was_looked_up_before_lets_nobody_in_after(
    cast, sign_in, recruiter, django_capture_on_commit_callbacks
):
    invitation = invite(cast)
    looked(sign_in, cast.anna, invitation)
    found = invitations.find_by_code(invitation.code)
    with django_capture_on_commit_callbacks(execute=True):
        demote(cast, recruiter)
    with pytest.raises(Conflict, match="lets nobody in"):
        invitations.accept(invitation=found, user=make_person("Dora"))


def test_a_second_call_changes_nothing(cast, sign_in, recruiter, django_capture_on_commit_callbacks):
    invitation = invite(cast)
    looked(sign_in, cast.anna, invitation)
    with django_capture_on_commit_callbacks(execute=True):
        demote(cast, recruiter)
    invitation.refresh_from_db()
    code = invitation.code
    readers.settle(cast.acme.pk, [cast.anna.pk])
    readers.settle(cast.acme.pk)
    invitation.refresh_from_db()
    assert invitation.code == code
    assert Event.objects.filter(action="invitation.code_renewed").count() == 1


def test_a_code_that_cannot_be_decrypted_is_made_anew_on_the_page(cast, sign_in):
    lost, sound = invite(cast), invite(cast)
    lose(lost, "code", "link_token")
    page = sign_in(cast.alice).get(PAGE).content.decode()
    assert sound.code in page
    assert "cannot be decrypted any more: make it valid for longer" in page
    assert sign_in(cast.alice).post(f"{PAGE}{lost.pk}/resend/").status_code == 302
    found = Invitation.objects.get(pk=lost.pk)
    assert invitations.find_by_code(found.code) == found


def test_the_page_asks_about_each_person_once(cast, sign_in, django_assert_max_num_queries):
    for _ in range(3):
        invite(cast, max_uses=5)
    client = sign_in(cast.anna)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    most = len(few)
    for _ in range(20):
        invite(cast, max_uses=5)
    client.get(PAGE)
    with django_assert_max_num_queries(most):
        client.get(PAGE)
