"""What can go wrong around images, in words for the person at the keyboard."""

from __future__ import annotations


class ImagesError(Exception):
    """Something the person who started the command can read and act on; printed without a traceback."""
