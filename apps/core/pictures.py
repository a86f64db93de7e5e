"""Pictures that people upload: drawn anew, so that nothing of the file itself is ever served."""

from __future__ import annotations

import io
import warnings
from typing import BinaryIO

from django.core.exceptions import ValidationError
from PIL import Image, ImageOps, UnidentifiedImageError

MAXIMUM_BYTES = 2 * 1024 * 1024
MAXIMUM_PIXELS = 16_000_000
_TOO_MANY = "The picture has more than 16 million pixels."
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def redraw(upload: BinaryIO, *, width: int, height: int, crop: bool = False) -> bytes:
    """The uploaded picture as a PNG that fits into `width` x `height` pixels (with `crop`: of exactly that shape), with
    nothing besides its pixels: no comments, no place, no second picture, no script behind the picture's end.

    Raises ValidationError for what is larger than 2 MB or 16 million pixels, and for what is no PNG, JPEG, WebP or GIF.
    """
    content = upload.read(MAXIMUM_BYTES + 1)
    if len(content) > MAXIMUM_BYTES:
        raise ValidationError("The picture is larger than 2 MB.")
    picture = _decoded(content)
    picture = ImageOps.fit(picture, (width, height)) if crop else picture
    picture.thumbnail((width, height))
    result = io.BytesIO()
    picture.save(result, "PNG", optimize=True)
    return result.getvalue()


def _decoded(content: bytes) -> Image.Image:
    """The first frame, upright, in RGBA. The size is looked at before a single pixel is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(content), formats=FORMATS)
            if opened.width * opened.height > MAXIMUM_PIXELS:
                raise ValidationError(_TOO_MANY)
            return ImageOps.exif_transpose(opened).convert("RGBA")
    except Image.DecompressionBombError as error:  # so many that the library does not even look
        raise ValidationError(_TOO_MANY) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValidationError("This is not a PNG, JPEG, WebP or GIF picture.") from error
