"""What a server answers is a stranger's text: here it becomes a number or a short word, whatever it is."""

from __future__ import annotations

# More digits than any size in bytes has.
_MOST_DIGITS = 18
_LONGEST_TEXT = 200


def whole_number(text: str) -> int:
    """A number in plain digits; 0 for anything else."""
    # str.isdigit is true of a superscript two, which int refuses; int refuses thousands of digits as well.
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def short_text(text: str) -> str:
    """The beginning of a text, without what cannot be shown: control characters (PostgreSQL takes no NUL)."""
    return "".join(letter for letter in text[:_LONGEST_TEXT] if letter.isprintable()).strip()
