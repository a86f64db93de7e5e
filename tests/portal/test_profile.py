"""What a person says about themselves: name, zone, theme, picture."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.accounts.models import Avatar
from apps.audit.models import Event

PROFILE = {"display_name": "Alice", "time_zone": "UTC", "theme": "system"}


def image(kind: str = "PNG", size: tuple[int, int] = (300, 200), **options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, **options)
    return file.getvalue()


def send(client, content: bytes, name: str = "me.png", **data):
    picture = SimpleUploadedFile(name, content, content_type="image/png")
    return client.post("/account/", PROFILE | {"picture": picture} | data)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_is_drawn_anew_as_a_small_square(cast, sign_in, kind):
    client = sign_in(cast.alice)
    assert send(client, image(kind)).status_code == 302
    cast.alice.refresh_from_db()
    answer = client.get(cast.alice.avatar_url)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert Image.open(io.BytesIO(answer.content)).size == (128, 128)
    assert cast.alice.avatar_url in client.get("/account/").content.decode()


@pytest.mark.django_db
def test_nothing_of_the_file_itself_is_kept(cast, sign_in):
    exif = Image.Exif()
    exif[0x010E] = "taken at 50.8503 N 4.3517 E"
    send(sign_in(cast.alice), image("JPEG", exif=exif) + b"<script>alert(1)</script>")
    picture = bytes(Avatar.objects.get().picture)
    assert b"50.8503" not in picture
    assert b"<script>" not in picture


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        image()[:60],
        image("BMP"),
        b"\x00" * (2 * 1024 * 1024 + 1),
        image(size=(5000, 4000)),
    ],
    ids=["empty", "text", "svg", "broken", "cut", "bmp", "large", "pixels"],
)
def test_what_is_no_picture_is_refused_and_the_old_one_stays(cast, sign_in, content):
    client = sign_in(cast.alice)
    send(client, image())
    before = Avatar.objects.get().picture
    assert send(client, content, display_name="Changed").status_code == 422
    assert bytes(Avatar.objects.get().picture) == bytes(before)
    cast.alice.refresh_from_db()
    assert cast.alice.display_name == "Alice"


@pytest.mark.django_db
def test_a_picture_is_taken_away(cast, sign_in):
    client = sign_in(cast.alice)
    send(client, image())
    cast.alice.refresh_from_db()
    address = cast.alice.avatar_url
    client.post("/account/", PROFILE | {"remove_picture": "on"})
    assert not Avatar.objects.exists()
    assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_nobody_gets_a_picture_without_its_version(cast, sign_in, client):
    send(sign_in(cast.alice), image())
    cast.alice.refresh_from_db()
    assert sign_in(cast.charlie).get(f"/account/avatar/{cast.alice.pk}/0123456789abcdef/").status_code == 404
    assert client.get(cast.alice.avatar_url).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"theme": "pink"},
        {"display_name": "x" * 101},
        {"display_name": "Al\x00ice"},
        {"display_name": "Al\u202eice"},
    ],
)
def test_a_wrong_profile_changes_nothing(cast, sign_in, wrong):
    assert sign_in(cast.alice).post("/account/", PROFILE | wrong).status_code == 422
    cast.alice.refresh_from_db()
    assert (cast.alice.display_name, cast.alice.time_zone, cast.alice.theme) == ("Alice", "UTC", "system")


@pytest.mark.django_db
def test_a_name_is_no_script(cast, sign_in):
    client = sign_in(cast.alice)
    client.post("/account/", PROFILE | {"display_name": "<b onclick=x>Al</b>"})
    assert "<b onclick" not in client.get("/account/").content.decode()


@pytest.mark.django_db
def test_nobody_makes_themselves_staff_by_the_form(cast, sign_in):
    data = PROFILE | {"is_staff": "on", "is_superuser": "on", "email": "root@example.com", "verify_by": "2030-01-01"}
    sign_in(cast.bob).post("/account/", data)
    cast.bob.refresh_from_db()
    assert (cast.bob.is_staff, cast.bob.is_superuser, cast.bob.email) == (False, False, "bob@example.com")


@pytest.mark.django_db
def test_a_change_is_in_the_trail(cast, sign_in):
    sign_in(cast.alice).post("/account/", PROFILE | {"time_zone": "Europe/Brussels"})
    event = Event.objects.get(action="account.changed")
    assert (event.before["time_zone"], event.after["time_zone"]) == ("UTC", "Europe/Brussels")
