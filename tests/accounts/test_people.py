"""People and their passwords."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts.models import User


def test_the_address_is_kept_in_small_letters_and_signs_in_in_any(db):
    User.objects.create_user("Dora@Example.com", "Correct-horse-9")
    assert User.objects.get_by_natural_key("DORA@example.COM").email == "dora@example.com"


def test_two_people_cannot_share_an_address(db):
    User.objects.create_user("dora@example.com", "Correct-horse-9")
    with pytest.raises(ValidationError):
        User.objects.create_user("DORA@example.com", "Correct-horse-9")


@pytest.mark.parametrize("password", ["Short1a", "alllower9", "ALLUPPER9", "NoDigitsHere", "Password1"])
def test_weak_passwords_are_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password)


def test_a_good_password_passes():
    validate_password("Correct-horse-9")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_time_zone_exists(db, zone):
    with pytest.raises(ValidationError):
        User.objects.create_user("dora@example.com", "Correct-horse-9", time_zone=zone)
