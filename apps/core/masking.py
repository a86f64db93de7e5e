"""The one place where secrets are masked before a text is stored or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "••••••"
# A shorter value would mask half of every line; such secrets are refused where they are entered.
SHORTEST_SECRET = 4
# A scheme begins where a word begins and is short: otherwise a long line of letters takes the square of its length.
_URL_PASSWORD = re.compile(
    r"(?P<scheme>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://)(?P<user>[^\s/@:]*):(?P<password>[^\s/@]+)@", re.IGNORECASE
)
_TERMINAL_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


class Masker:
    """Masks a growing set of secret values, passwords inside URLs, and private keys."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str | None]) -> None:
        """Adds values, each line of a value of several lines on its own as well."""
        for secret in secrets:
            for part in {secret or "", *(secret or "").splitlines()}:
                if len(part.strip()) >= SHORTEST_SECRET:
                    self._secrets.add(part.strip())
        # The longest first, so that a secret inside another one leaves no rest behind.
        ordered = sorted(self._secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def mask(self, text: str) -> str:
        """The text without secrets, NUL, control characters and terminal escapes."""
        text = _CONTROL.sub("", _TERMINAL_ESCAPES.sub("", text))
        text = _PRIVATE_KEY.sub(MASK, text)
        if self._pattern:
            text = self._pattern.sub(MASK, text)
        return _URL_PASSWORD.sub(rf"\g<scheme>\g<user>:{MASK}@", text)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Masks once; see Masker."""
    return Masker(secrets).mask(text)
