"""Uploaded pictures are drawn anew; what is none is refused."""

from __future__ import annotations

import io

import pytest
from django.core.exceptions import ValidationError
from PIL import Image, PngImagePlugin

from apps.core import pictures


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 200), **options: object) -> io.BytesIO:
    result = io.BytesIO()
    Image.new("RGB", size, "navy").save(result, kind, **options)
    result.seek(0)
    return result


def opened(content: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(content))
    found.load()
    return found


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_it_becomes_a_png_that_fits(kind):
    result = opened(pictures.redraw(picture(kind), width=100, height=100))
    assert (result.format, result.size) == ("PNG", (100, 50))


def test_it_is_cut_to_the_shape_that_is_wanted():
    assert opened(pictures.redraw(picture(), width=64, height=64, crop=True)).size == (64, 64)


def test_nothing_but_pixels_comes_through():
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "<script>alert(1)</script>")
    upload = picture(pnginfo=note)
    upload.seek(0, io.SEEK_END)
    upload.write(b"<script>alert(2)</script>")
    upload.seek(0)
    result = pictures.redraw(upload, width=100, height=100)
    assert b"script" not in result
    assert opened(result).info.get("Comment") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"%PDF-1.4",
        picture().getvalue()[:90],
    ],
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(ValidationError, match="not a PNG"):
        pictures.redraw(io.BytesIO(content), width=10, height=10)


def test_a_file_too_large_is_refused():
    with pytest.raises(ValidationError, match="2 MB"):
        pictures.redraw(io.BytesIO(b"\0" * (pictures.MAXIMUM_BYTES + 1)), width=10, height=10)


def test_a_small_file_of_very_many_pixels_is_refused():
    bomb = picture(size=(20_000, 20_000), optimize=False)
    assert len(bomb.getvalue()) < pictures.MAXIMUM_BYTES
    with pytest.raises(ValidationError, match="16 million pixels"):
        pictures.redraw(bomb, width=10, height=10)
