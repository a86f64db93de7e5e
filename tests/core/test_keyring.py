"""Secrets at rest: bound to their place, readable after a rotation, and never guessed."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.core import keyring

OLD, NEW = "old:" + "A" * 43 + "=", "new:" + "B" * 43 + "="


def test_a_secret_comes_back(settings):
    settings.KEY_RING = OLD
    stored = keyring.encrypt("hunter2", context="app.model.field")
    assert "hunter2" not in stored
    assert keyring.decrypt(stored, context="app.model.field") == "hunter2"


def test_equal_secrets_are_stored_differently(settings):
    settings.KEY_RING = OLD
    assert keyring.encrypt("a", context="c") != keyring.encrypt("a", context="c")


def test_a_secret_moved_elsewhere_is_refused(settings):
    settings.KEY_RING = OLD
    stored = keyring.encrypt("hunter2", context="app.model.field")
    with pytest.raises(keyring.DecryptionError):
        keyring.decrypt(stored, context="app.model.other_field")


def test_after_a_rotation_both_keys_read_and_the_new_one_writes(settings):
    settings.KEY_RING = OLD
    stored = keyring.encrypt("hunter2", context="c")
    settings.KEY_RING = f"{NEW}\n{OLD}"
    assert keyring.decrypt(stored, context="c") == "hunter2"
    assert keyring.encrypt("x", context="c").split(":")[1] == "new" == keyring.current_key_id()


def test_without_its_key_decrypting_fails_closed(settings):
    settings.KEY_RING = OLD
    stored = keyring.encrypt("hunter2", context="c")
    settings.KEY_RING = NEW
    with pytest.raises(keyring.DecryptionError):
        keyring.decrypt(stored, context="c")


@pytest.mark.parametrize("stored", ["", "plain text", "gcm:old:@@@", "gcm:old:" + "A" * 40])
def test_what_is_not_a_sealed_secret_is_refused(settings, stored):
    settings.KEY_RING = OLD
    with pytest.raises(keyring.DecryptionError):
        keyring.decrypt(stored, context="c")


@pytest.mark.parametrize("ring", ["short:QUJD", "bad id:" + "A" * 43 + "="])
def test_a_broken_ring_stops_the_program(settings, ring):
    settings.KEY_RING = ring
    with pytest.raises((ImproperlyConfigured, ValueError)):
        keyring.encrypt("x", context="c")


def test_no_ring_at_all_stops_the_program(settings, tmp_path):
    settings.KEY_RING, settings.KEY_RING_FILE = "", tmp_path / "missing"
    with pytest.raises(ImproperlyConfigured):
        keyring.encrypt("x", context="c")


def test_a_new_ring_line_works(settings):
    settings.KEY_RING = keyring.new_ring_line()
    assert keyring.decrypt(keyring.encrypt("x", context="c"), context="c") == "x"
