"""One secret whose key is gone fails closed, and nothing else fails with it."""

from __future__ import annotations

import copy

import pytest
from django.core.management import CommandError, call_command

from apps.audit.services import snapshot
from apps.core.fields import unreadable
from apps.core.keyring import DecryptionError
from apps.core.masking import MASK
from apps.servers.models import SSHKey
from tests.core.test_reencrypt import NEW, OLD
from tests.lost_keys import SEALED_WITH_A_KEY_THAT_IS_GONE, lose


@pytest.fixture
def keys(cast) -> tuple[SSHKey, SSHKey]:
    lost, sound = (
        SSHKey.objects.create(
            organization=cast.acme, name=name, public_key=f"ssh-ed25519 {name}", private_key="hunter2"
        )
        for name in ("a lost one", "a sound one")
    )
    lose(lost, "private_key")
    return SSHKey.objects.get(pk=lost.pk), sound


def test_the_rows_are_read_and_the_one_secret_is_refused(keys):
    lost, sound = SSHKey.objects.order_by("name")
    assert sound.private_key == "hunter2"
    assert (lost.name, unreadable(lost), unreadable(sound)) == ("a lost one", ["private_key"], [])
    with pytest.raises(DecryptionError) as caught:
        _ = lost.private_key
    assert caught.value.code == "core.secret_unreadable"
    assert "private key" in caught.value.title


@pytest.mark.parametrize(
    "use", [str, bool, len, list, lambda one: f"{one}", lambda one: one + "", lambda one: one == "", lambda one: one[0]]
)
def test_nothing_can_be_done_with_what_stands_in_its_place(keys, use):
    (value,) = SSHKey.objects.filter(pk=keys[0].pk).values_list("private_key", flat=True)
    with pytest.raises(DecryptionError):
        use(value)
    assert SEALED_WITH_A_KEY_THAT_IS_GONE not in repr(value)


def test_deferred_it_is_refused_as_well(keys):
    row = SSHKey.objects.defer("private_key").get(pk=keys[0].pk)
    with pytest.raises(DecryptionError):
        _ = row.private_key


def test_the_rest_of_the_row_is_saved_and_the_secret_stays_as_it_is(keys):
    lost = keys[0]
    lost.name = "renamed"
    lost.save()
    stored = SSHKey.objects.extra(select={"sealed": "private_key"}).values_list("name", "sealed").get(pk=lost.pk)
    assert stored == ("renamed", SEALED_WITH_A_KEY_THAT_IS_GONE)


def test_a_new_one_takes_its_place(keys):
    lost = keys[0]
    lost.private_key = "hunter3"
    lost.save()
    assert SSHKey.objects.get(pk=lost.pk).private_key == "hunter3"


def test_an_object_is_read_anew_and_copied(keys):
    lost = keys[0]
    SSHKey.objects.filter(pk=lost.pk).update(name="renamed")
    lost.refresh_from_db()
    assert lost.name == "renamed"
    for twin in (lost, copy.deepcopy(keys[0])):
        assert unreadable(twin) == ["private_key"]


def test_the_trail_masks_it(keys):
    assert snapshot(keys[0], ["name", "private_key"]) == {"name": "a lost one", "private_key": MASK}


def test_reencrypting_goes_on_with_the_others_and_says_which(cast, settings):
    settings.KEY_RING = OLD
    lost, sound = (
        SSHKey.objects.create(organization=cast.acme, name=name, public_key=f"ssh-ed25519 {name}", private_key="x")
        for name in "ab"
    )
    lose(lost, "private_key")
    settings.KEY_RING = f"{NEW},{OLD}"
    with pytest.raises(CommandError, match=str(lost.pk)):
        call_command("reencrypt")
    settings.KEY_RING = NEW
    assert SSHKey.objects.get(pk=sound.pk).private_key == "x"
