"""The Django admin: secrets go in and never come out, actions call the services."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import Event
from apps.domains.models import AcmeAccount, BaseDomain, Certificate, DnsProvider, DnsProviderKind
from apps.operations.models import Operation
from tests.cast import Cast, make_person
from tests.lost_keys import lose

pytestmark = pytest.mark.django_db
SECRET = "cGxhbnRlZC1zZWNyZXQ="
LIST = reverse("admin:domains_dnsprovider_changelist")
ADD = reverse("admin:domains_dnsprovider_add")
FORM = {"name": "Knot", "kind": "rfc2136", "server": "127.0.0.1", "port": "9", "key_name": "ours", "key_secret": SECRET}


@pytest.fixture
def staff(cast: Cast, sign_in: Any) -> Client:
    return sign_in(cast.sam)


def errors_of(answer: Any) -> str:
    return str(answer.context["adminform"].form.errors)


def test_a_provider_is_added_and_its_secret_is_never_shown(staff: Client) -> None:
    answer = staff.post(ADD, FORM)
    assert answer.status_code == 302, errors_of(answer)
    provider = DnsProvider.objects.get()
    assert provider.secrets == {"key_secret": SECRET}
    assert provider.settings == {"server": "127.0.0.1", "port": 9, "key_name": "ours"}
    page = staff.get(reverse("admin:domains_dnsprovider_change", args=[provider.pk])).content.decode()
    assert "127.0.0.1" in page
    assert SECRET not in page
    assert SECRET not in str([event.after for event in Event.objects.all()])


def test_an_empty_secret_keeps_the_stored_one(staff: Client) -> None:
    staff.post(ADD, FORM)
    provider = DnsProvider.objects.get()
    changed = FORM | {"key_secret": "", "name": "Knot 2"}
    staff.post(reverse("admin:domains_dnsprovider_change", args=[provider.pk]), changed)
    provider.refresh_from_db()
    assert (provider.name, provider.secrets) == ("Knot 2", {"key_secret": SECRET})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key_secret": ""}, "key_secret is missing"),
        ({"server": ""}, "server is missing"),
        ({"key_secret": "not base64!"}, "TSIG key cannot be used"),
        ({"server": "169.254.169.254"}, "not allowed"),
        ({"port": "70000"}, "less than or equal to 65535"),
        ({"kind": "cloudflare"}, "auth_token is missing"),
        ({"kind": "cloudflare", "auth_token": "token-x", "endpoint": "http://192.0.2.1"}, "not allowed"),
        ({"kind": "route53", "auth_access_key": "AKIA"}, "auth_access_secret is missing"),
    ],
)
def test_what_cannot_work_is_said_in_the_form(staff: Client, change: dict[str, str], words: str) -> None:
    answer = staff.post(ADD, FORM | change)
    assert answer.status_code == 200
    assert words in errors_of(answer)
    assert not DnsProvider.objects.exists()


def test_testing_a_provider_says_what_it_says(staff: Client) -> None:
    staff.post(ADD, FORM)
    provider = DnsProvider.objects.get()
    BaseDomain.objects.create(name="apps.example.test", dns_provider=provider)
    staff.post(LIST, {"action": "test_selected", "_selected_action": str(provider.pk)})
    provider.refresh_from_db()
    assert "does not answer" in provider.test_error
    assert provider.tested_at is not None


def test_issuing_is_queued_once(staff: Client, settings: Any) -> None:
    settings.ACME_DIRECTORY_URL = "https://authority.example/directory"
    provider = DnsProvider.objects.create(
        name="Cloud", kind=DnsProviderKind.CLOUDFLARE, credentials=json.dumps({"auth_token": "token-x"})
    )
    base = BaseDomain.objects.create(name="apps.example.test", dns_provider=provider)
    for _ in range(2):
        staff.post(
            reverse("admin:domains_basedomain_changelist"),
            {"action": "issue_selected", "_selected_action": str(base.pk)},
        )
    operation = Operation.objects.get()
    assert operation.subject == Certificate.objects.get()
    assert operation.organization is None


def test_a_base_domain_that_can_have_its_certificate_gets_it(staff: Client, settings: Any) -> None:
    settings.ACME_DIRECTORY_URL = "https://authority.example/directory"
    provider = DnsProvider.objects.create(
        name="Cloud", kind=DnsProviderKind.CLOUDFLARE, credentials=json.dumps({"auth_token": "token-x"})
    )
    form = {"name": "apps.example.test", "dns_provider": str(provider.pk), "address_source": "public"}
    answer = staff.post(reverse("admin:domains_basedomain_add"), form)
    assert answer.status_code == 302, errors_of(answer)
    assert Operation.objects.get().subject.names == ["*.apps.example.test", "apps.example.test"]
    answer = staff.post(reverse("admin:domains_basedomain_add"), form | {"name": "not a name"})
    assert "not a host name" in errors_of(answer)


def test_issuing_where_it_cannot_be_is_explained(staff: Client, settings: Any) -> None:
    settings.ACME_DIRECTORY_URL = ""
    provider = DnsProvider.objects.create(name="Paper", kind=DnsProviderKind.MANUAL)
    base = BaseDomain.objects.create(name="apps.example.test", dns_provider=provider)
    answer = staff.post(
        reverse("admin:domains_basedomain_changelist"),
        {"action": "issue_selected", "_selected_action": str(base.pk)},
        follow=True,
    )
    assert "is by hand" in answer.content.decode()
    assert not Operation.objects.exists()


def test_private_keys_are_not_among_the_fields(staff: Client) -> None:
    account = AcmeAccount.objects.create(directory_url="https://a.example/d", private_key="planted-private-key")
    certificate = Certificate.objects.create(
        names=["a.example"], directory_url="https://a.example/d", challenge="http-01", private_key="planted-private-key"
    )
    for name, obj in (("acmeaccount", account), ("certificate", certificate)):
        page = staff.get(reverse(f"admin:domains_{name}_change", args=[obj.pk])).content.decode()
        assert obj._meta.verbose_name in page
        assert "planted-private-key" not in page


@pytest.mark.parametrize(
    "name",
    [
        "acmeaccount",
        "basedomain",
        "certificate",
        "certificatedelivery",
        "certificateorder",
        "dnsprovider",
        "dnsrecord",
        "route",
    ],
)
def test_every_list_opens_for_portal_admins_only(staff: Client, sign_in: Any, cast: Cast, name: str) -> None:
    address = reverse(f"admin:domains_{name}_changelist")
    assert staff.get(address).status_code == 200
    assert sign_in(cast.alice).get(address).status_code == 302
    support = make_person("Susan", is_staff=True)
    assert sign_in(support).get(address).status_code == 403


def test_secrets_that_cannot_be_decrypted_are_entered_again(staff: Client) -> None:
    staff.post(ADD, FORM)
    provider = DnsProvider.objects.get()
    lose(provider, "credentials")
    change = reverse("admin:domains_dnsprovider_change", args=[provider.pk])
    assert staff.get(LIST).status_code == 200
    assert staff.get(change).status_code == 200
    assert "key_secret is missing" in errors_of(staff.post(change, FORM | {"key_secret": ""}))
    assert staff.post(change, FORM).status_code == 302
    assert DnsProvider.objects.get().secrets == {"key_secret": SECRET}
