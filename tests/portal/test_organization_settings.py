"""Name, addresses, colour, logo and rules of an organization."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.audit.models import Event
from apps.core.exceptions import Conflict
from apps.orgs import brand, profile, services
from apps.orgs.mails import Mail, send
from apps.orgs.models import FormerSlug, Organization
from tests.cast import make_person

PAGE = "/o/acme/settings/"
FORM = {"name": "Acme", "slug": "acme", "colour": "", "audit_retention_days": 365}


def picture(kind: str = "PNG") -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (1200, 300), "teal").save(content, kind)
    return SimpleUploadedFile("logo.svg", content.getvalue())


def test_the_settings_are_changed_and_written_down(cast, sign_in):
    form = FORM | {
        "name": "Acme & Sons",
        "colour": "#2A5BD7",
        "require_second_factor": "on",
        "audit_retention_days": 90,
    }
    assert sign_in(cast.anna).post(PAGE, form).status_code == 302
    cast.acme.refresh_from_db()
    assert (cast.acme.name, cast.acme.colour, cast.acme.audit_retention_days) == ("Acme & Sons", "#2a5bd7", 90)
    assert cast.acme.require_second_factor
    event = Event.objects.get(action="organization.updated")
    assert event.before["audit_retention_days"] == 365
    assert event.after["audit_retention_days"] == 90


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "two\nlines"},
        {"name": "x" * 101},
        {"slug": "Big"},
        {"slug": "-"},
        {"slug": "admin"},
        {"slug": "umbrella"},
        {"slug": ""},
        {"colour": "red"},
        {"colour": "#12345"},
        {"colour": "#12345g"},
        {"colour": "url(x)"},
        {"audit_retention_days": 29},
        {"audit_retention_days": 3651},
        {"audit_retention_days": "always"},
    ],
)
def test_bad_settings_are_refused(cast, sign_in, wrong):
    assert sign_in(cast.alice).post(PAGE, FORM | wrong).status_code == 422
    cast.acme.refresh_from_db()
    assert (cast.acme.name, cast.acme.slug, cast.acme.colour) == ("Acme", "acme", "")


def test_who_may_not_update_changes_nothing(cast, sign_in):
    for person, status in ((cast.bob, 403), (cast.vera, 403), (cast.charlie, 404)):
        assert sign_in(person).post(PAGE, FORM | {"name": "Mine"}).status_code == status
        assert sign_in(person).post(f"{PAGE}logo/", {"logo": picture()}).status_code == status
    assert sign_in(cast.bob).get(PAGE).status_code == 200


def test_old_addresses_lead_on_for_members_alone(cast, sign_in):
    alice = sign_in(cast.alice)
    assert alice.post(PAGE, FORM | {"slug": "zenith"}).url == "/o/zenith/settings/"
    assert alice.get("/o/acme/settings/?q=a%26b").url == "/o/zenith/settings/?q=a%26b"
    assert alice.get("/o/acme/p/%C3%A4%0D%0A/").url == "/o/zenith/p/%C3%A4%0D%0A/"
    assert sign_in(cast.charlie).get("/o/acme/").status_code == 404
    assert Client().get("/o/acme/").url.startswith("/account/login/")
    assert alice.post("/o/acme/settings/", FORM).status_code == 404


def test_an_old_address_leads_nowhere_else(cast, sign_in):
    alice = sign_in(cast.alice)
    alice.post(PAGE, FORM | {"slug": "zenith"})
    for tail in ("//evil.example/", "\\evil.example", "..//evil.example/"):
        answer = alice.get(f"/o/acme/{tail}")
        assert answer.status_code == 404 or answer.url.startswith("/o/zenith/")


def test_nobody_else_gets_a_name_that_was_given_up(cast):
    profile.update_organization(organization=cast.acme, actor=cast.alice, slug="zenith")
    with pytest.raises(Conflict):
        services.create_organization(name="Other", owner=cast.charlie, slug="acme")
    with pytest.raises(Conflict):
        profile.update_organization(organization=cast.umbrella, actor=cast.charlie, slug="acme")
    assert services.create_organization(name="Acme", owner=make_person("Dora")).slug == "acme-2"
    back = profile.update_organization(organization=cast.acme, actor=cast.alice, slug="acme")
    assert back.slug == "acme"
    assert [row.slug for row in FormerSlug.objects.all()] == ["zenith"]


def test_ten_earlier_names_are_kept(cast):
    for number in range(13):
        profile.update_organization(organization=cast.acme, actor=cast.alice, slug=f"acme-{number}x")
    assert FormerSlug.objects.count() == 10
    assert not FormerSlug.objects.filter(slug="acme").exists()


def test_the_logo_is_drawn_anew_and_served_to_mail_programs(cast, sign_in):
    alice = sign_in(cast.alice)
    assert alice.post(f"{PAGE}logo/", {"logo": picture()}).status_code == 302
    cast.acme.refresh_from_db()
    answer = Client().get(cast.acme.logo_url)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]
    assert Image.open(io.BytesIO(answer.content)).size == (512, 128)
    assert cast.acme.logo_url in alice.get("/o/acme/").content.decode()
    earlier = cast.acme.logo_url
    alice.post(f"{PAGE}logo/", {"remove": "1"})
    assert Client().get(earlier).status_code == 404
    cast.acme.refresh_from_db()
    assert cast.acme.logo_url == ""


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n", b"\0" * (2 * 1024 * 1024 + 1)]
)
def test_what_is_no_picture_does_not_become_the_logo(cast, sign_in, content):
    upload = SimpleUploadedFile("logo.png", content, content_type="image/png")
    page = sign_in(cast.alice).post(f"{PAGE}logo/", {"logo": upload}, follow=True)
    assert "alert-error" in page.content.decode()
    cast.acme.refresh_from_db()
    assert cast.acme.logo_version == ""


def test_a_logo_that_nobody_has_is_not_found(cast):
    assert Client().get(f"/logo/{uuid4()}/0000000000000000.png").status_code == 404
    assert Client().get(f"/logo/{cast.acme.pk}/.png").status_code == 404


def test_pages_carry_the_colour(cast, sign_in):
    profile.update_organization(organization=cast.acme, actor=cast.alice, colour="#ffee00")
    assert "/brand/ffee00.css" in sign_in(cast.bob).get("/o/acme/").content.decode()
    assert "/brand/" not in sign_in(cast.charlie).get("/o/umbrella/").content.decode()
    sheet = Client().get("/brand/ffee00.css")
    assert sheet.headers["Content-Type"].startswith("text/css")
    assert "--color-primary:#" in sheet.content.decode()
    assert Client().get("/brand/red.css").status_code == 404
    assert Client().get("/brand/ffee00}.css").status_code == 404


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ffee00", "#808080", "#2a5bd7", "#ff0000", "#00ff00"])
def test_every_colour_can_be_read_on_light_and_on_dark(colour):
    def parsed(text):
        return tuple(bytes.fromhex(text[1:]))

    for accent, ground in zip(brand.accents(colour), (brand.LIGHT_GROUND, brand.DARK_GROUND), strict=True):
        mark = parsed(accent.colour)
        tinted = tuple(round(one + (two - one) * brand.TINT) for one, two in zip(ground, mark, strict=True))
        assert brand.contrast(mark, ground) >= brand.CONTRAST
        assert brand.contrast(mark, tinted) >= brand.CONTRAST
        assert brand.contrast(parsed(accent.colour), parsed(accent.content)) >= brand.CONTRAST


def test_a_colour_that_can_be_read_stays_as_it_is():
    light, _dark = brand.accents("#1f47b0")
    assert light.colour == "#1f47b0"


def test_mails_carry_name_colour_and_logo(cast, mailoutbox):
    organization = profile.set_logo(organization=cast.acme, upload=picture().file, actor=cast.alice)
    Organization.objects.filter(pk=organization.pk).update(colour="#2a5bd7", name="<b>Acme</b>\u201d")
    organization.refresh_from_db()
    mail = Mail("One\r\nBcc: all@example.com", ("<script>alert(1)</script>",), "/o/acme/", "Open")
    assert send(organization=organization, to="dora@example.com", mail=mail)
    sent = mailoutbox[0]
    html = sent.alternatives[0][0]
    assert sent.subject == "One Bcc: all@example.com"
    assert sent.to == ["dora@example.com"]
    assert brand.accents("#2a5bd7")[0].colour in html
    assert f"http://127.0.0.1:8000{organization.logo_url}" in html
    assert "<script>" not in html
    assert "<b>Acme" not in html
