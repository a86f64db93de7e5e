"""An organization that asks for a second factor is not entered by a password alone."""

from __future__ import annotations

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from apps.operations import access
from apps.operations.models import Operation
from apps.orgs import services
from apps.orgs.models import Organization
from apps.orgs.second_factor import closed_organizations, keep_out
from tests.cast import PASSWORD
from tests.factories import make_project, make_server

KEY = "JBSWY3DPEHPK3PXP"


def make_operation(organization: Organization) -> Operation:
    server = make_server(organization)
    names = {"kind": "servers.bootstrap", "title": "Prepare", "lock_key": f"server:{server.pk}"}
    subject = {"subject_type": server._meta.label_lower, "subject_id": server.pk}
    return Operation.objects.create(organization=organization, **names, **subject)


@pytest.fixture
def strict(cast):
    Organization.objects.filter(pk=cast.acme.pk).update(require_second_factor=True)
    cast.acme.refresh_from_db()
    return cast


@pytest.mark.django_db
def test_a_member_without_one_is_led_to_set_it_up(strict, sign_in):
    answer = sign_in(strict.bob).get("/o/acme/", follow=True)
    assert answer.redirect_chain == [("/account/security/", 302)]
    assert "Acme asks for a second factor" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["", "servers/", "servers/add/", "settings/", "projects/"])
def test_every_page_of_the_organization_is_closed(strict, sign_in, path, method):
    answer = getattr(sign_in(strict.alice), method)(f"/o/acme/{path}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/security/")


@pytest.mark.django_db
def test_a_part_of_a_page_leads_the_whole_page_on(strict, sign_in):
    answer = sign_in(strict.bob).get("/o/acme/activity/running/", HTTP_HX_REQUEST="true")
    assert answer.headers["HX-Redirect"] == "/account/security/"


@pytest.mark.django_db
def test_with_one_it_is_open(strict, sign_in):
    TOTP.activate(strict.bob, KEY)
    assert sign_in(strict.bob).get("/o/acme/").status_code == 200


@pytest.mark.django_db
def test_backup_codes_alone_are_none(strict, sign_in):
    RecoveryCodes.activate(strict.bob)
    assert sign_in(strict.bob).get("/o/acme/").status_code == 302


@pytest.mark.django_db
def test_other_organizations_and_the_account_stay_open(strict, sign_in):
    other = services.create_organization(name="Other", owner=strict.bob)
    client = sign_in(strict.bob)
    for address in (other.get_absolute_url(), "/account/", "/account/security/", "/account/sessions/"):
        assert client.get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["", "email/", "security/", "sessions/", "data/", "verify/", "notifications/", "password/change/", "logout/"],
)
def test_pages_of_the_account_stay_usable_and_show_nothing_of_it(strict, sign_in, path):
    make_project(strict.acme, name="Secret shop")
    answer = sign_in(strict.bob).get(f"/account/{path}")
    assert answer.status_code == 200
    assert "Secret shop" not in answer.content.decode()


@pytest.mark.django_db
def test_a_factor_is_set_up_from_there(strict, sign_in):
    client = sign_in(strict.bob)
    assert client.get("/account/2fa/totp/activate/").headers["Location"].startswith("/account/reauthenticate/")
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    assert client.get("/account/2fa/totp/activate/").status_code == 200


@pytest.mark.django_db
def test_a_stranger_finds_nothing_as_before(strict, sign_in):
    assert sign_in(strict.charlie).get("/o/acme/").status_code == 404


@pytest.mark.django_db
def test_addresses_that_do_not_name_the_organization_show_nothing_of_it(strict, sign_in):
    operation = make_operation(strict.acme)
    assert sign_in(strict.alice).get(f"/operations/{operation.pk}/").status_code == 404
    TOTP.activate(strict.alice, KEY)
    assert sign_in(strict.alice).get(f"/operations/{operation.pk}/").status_code == 200


@pytest.mark.django_db
def test_what_websockets_ask_is_narrowed_too(strict):
    operation = make_operation(strict.acme)
    assert access.may_view(strict.alice, operation.pk)
    keep_out(strict.alice)
    assert not access.may_view(strict.alice, operation.pk)


@pytest.mark.django_db
def test_the_question_is_one_query(strict, django_assert_num_queries):
    for number in range(3):
        services.create_organization(name=f"Other {number}", owner=strict.bob)
    with django_assert_num_queries(1):
        assert [one.slug for one in closed_organizations(strict.bob)] == ["acme"]


@pytest.mark.django_db
def test_who_turns_it_off_is_kept_out_again(strict, sign_in):
    TOTP.activate(strict.bob, KEY)
    client = sign_in(strict.bob)
    assert client.get("/o/acme/").status_code == 200
    strict.bob.authenticator_set.all().delete()
    assert client.get("/o/acme/").status_code == 302
