"""The platform's settings in the admin: who changes them, what is recorded, and that a token never comes out."""

from __future__ import annotations

import pytest

from apps.audit.models import Event
from apps.platform.models import OdooSeries, PlatformRepository, PlatformSettings
from tests.lost_keys import lose

SETTINGS = "/admin/platform/platformsettings/1/change/"
REPOSITORIES = "/admin/platform/platformrepository/"
PLANTED = "planted-token-of-the-platform"


@pytest.fixture
def sam(cast, sign_in):
    return sign_in(cast.sam)


def _settings(**values: object) -> dict[str, object]:
    fields = {"base_domain": "", "acme_directory_url": "", "acme_contact": "", "mail_sender": ""}
    numbers = dict.fromkeys(("environments_per_server", "server_reserved_megabytes", "destroyed_retention_days"), "")
    return fields | numbers | {"audit_retention_days": "365"} | values


def _repository(**values: object) -> dict[str, object]:
    fields = {"name": "Extra", "slug": "extra", "url": "https://git.example.com/extra.git", "priority": "100"}
    return fields | {"branch_map": '{"19.0": "main"}', "is_active": "on", "new_token": PLANTED} | values


def test_the_list_leads_to_the_only_row(sam):
    answer = sam.get("/admin/platform/platformsettings/", follow=True)
    assert answer.redirect_chain == [(SETTINGS, 302)]
    assert answer.status_code == 200
    assert sam.get("/admin/platform/platformsettings/add/").status_code == 403
    assert sam.post("/admin/platform/platformsettings/1/delete/", {"post": "yes"}).status_code == 403


def test_a_change_is_recorded_with_before_and_after(sam, cast):
    PlatformSettings.objects.create(base_domain="old.example.test")
    assert sam.post(SETTINGS, _settings(base_domain="new.example.test")).status_code == 302
    event = Event.objects.get(action="platformsettings.changed")
    assert (event.actor_id, event.before, event.after) == (
        cast.sam.pk,
        {"base_domain": "old.example.test"},
        {"base_domain": "new.example.test"},
    )


def test_bad_settings_are_said(sam):
    PlatformSettings.objects.create()
    answer = sam.post(SETTINGS, _settings(base_domain="Not a domain", audit_retention_days="3"))
    assert answer.status_code == 200
    assert PlatformSettings.objects.get().base_domain == ""


def test_limited_staff_look_and_others_do_not(cast, sign_in):
    PlatformSettings.objects.create()
    cast.sam.is_superuser = False
    cast.sam.save()
    client = sign_in(cast.sam)
    assert client.get(SETTINGS).status_code == 200
    assert client.post(SETTINGS, _settings(base_domain="taken.example.test")).status_code == 403
    assert client.post(f"{REPOSITORIES}add/", _repository()).status_code == 403
    assert sign_in(cast.alice).get(SETTINGS).status_code == 302
    assert PlatformSettings.objects.get().base_domain == ""


def test_a_version_is_withdrawn(sam):
    series = OdooSeries.objects.get(version="14.0")
    address = f"/admin/platform/odooseries/{series.pk}/change/"
    assert sam.get(address).status_code == 200
    assert sam.post(address, {"supported_until": "2023-11-30", "image": "", "postgres_image": ""}).status_code == 302
    series.refresh_from_db()
    assert not series.is_offered
    assert Event.objects.get(action="odooseries.changed").after == {"is_offered": False}
    assert sam.post(address, {"image": "not an image!", "postgres_image": ""}).status_code == 200
    assert sam.get("/admin/platform/odooseries/add/").status_code == 403


def test_a_token_goes_in_and_never_comes_out(sam):
    assert sam.post(f"{REPOSITORIES}add/", _repository()).status_code == 302
    repository = PlatformRepository.objects.get()
    assert repository.token == PLANTED
    for address in (REPOSITORIES, f"{REPOSITORIES}{repository.pk}/change/"):
        assert PLANTED not in sam.get(address).content.decode()
    assert PLANTED not in str(list(Event.objects.values()))
    assert Event.objects.get(action="platformrepository.added").after["new_token"] is True
    sam.post(f"{REPOSITORIES}{repository.pk}/change/", _repository(new_token="", name="Renamed"))
    repository.refresh_from_db()
    assert (repository.name, repository.token) == ("Renamed", PLANTED)


def test_a_token_is_not_sent_to_another_address(sam):
    sam.post(f"{REPOSITORIES}add/", _repository())
    repository = PlatformRepository.objects.get()
    address = f"{REPOSITORIES}{repository.pk}/change/"
    moved = _repository(url="https://evil.example/extra.git", new_token="")
    assert sam.post(address, moved).status_code == 200
    repository.refresh_from_db()
    assert repository.url == "https://git.example.com/extra.git"
    assert sam.post(address, moved | {"forget_token": "on"}).status_code == 302
    repository.refresh_from_db()
    assert (repository.url, repository.token) == ("https://evil.example/extra.git", "")


@pytest.mark.parametrize(
    "values",
    [
        {"url": "http://git.example.com/extra.git"},
        {"url": "https://user:password@git.example.com/extra.git"},
        {"branch_map": "not json"},
        {"branch_map": '{"12.0": "12.0"}'},
        {"slug": "../etc"},
    ],
)
def test_bad_repositories_are_refused(sam, values):
    assert sam.post(f"{REPOSITORIES}add/", _repository(**values)).status_code == 200
    assert not PlatformRepository.objects.exists()


def test_a_token_that_cannot_be_decrypted_is_given_again(sam):
    sam.post(f"{REPOSITORIES}add/", _repository())
    row = PlatformRepository.objects.get()
    lose(row, "token")
    change = f"{REPOSITORIES}{row.pk}/change/"
    moved = _repository(url="https://elsewhere.example.com/extra.git", new_token="")
    assert "The stored token is for the old address" in sam.post(change, moved).content.decode()
    assert sam.post(change, _repository()).status_code == 302
    assert PlatformRepository.objects.get().token == PLANTED
