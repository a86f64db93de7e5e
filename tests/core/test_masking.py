"""No secret passes the one place that masks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.masking import MASK, Masker, mask

ANY_SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=40)


@given(secret=ANY_SECRET, before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_known_secret_never_stays(secret, before, after):
    if secret in MASK:
        return
    assert secret not in Masker([secret]).mask(before + secret + after).replace(MASK, "")


def test_each_line_of_a_secret_is_masked_on_its_own():
    assert mask("it said line-two here", ["line-one\nline-two"]) == f"it said {MASK} here"


def test_a_secret_inside_another_leaves_no_rest():
    assert mask("abcdefgh", ["abcd", "abcdefgh"]) == MASK


def test_passwords_in_urls_are_masked_without_being_known():
    assert mask("cloning https://bot:tok3n@host/a.git") == f"cloning https://bot:{MASK}@host/a.git"


def test_private_keys_are_masked_without_being_known():
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----"
    assert mask(f"key: {key}!") == f"key: {MASK}!"


def test_escapes_and_nul_are_removed():
    assert mask("\x1b[31mred\x1b[0m \x00done\x1b]0;title\x07") == "red done"
    assert mask("a\tb\nc") == "a\tb\nc"


def test_a_secret_hidden_by_escapes_is_masked_too():
    assert mask("hun\x1b[0mter2", ["hunter2"]) == MASK


def test_very_short_values_do_not_mask_everything():
    assert mask("a line", ["a", "", None]) == "a line"


@pytest.mark.parametrize("text", ["y" * 400_000, "http://" * 50_000, "x://u:" * 50_000, "\x1b]" * 100_000])
def test_a_long_line_takes_no_longer_than_its_length(text: str):
    begun = time.monotonic()
    mask(text, ["secret"])
    assert time.monotonic() - begun < 5
