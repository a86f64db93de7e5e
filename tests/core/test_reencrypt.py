"""After `reencrypt` the old key can be dropped."""

from __future__ import annotations

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import connection

from apps.servers.models import SSHKey

OLD, NEW = "old:" + "A" * 43 + "=", "new:" + "B" * 42 + "A="


@pytest.fixture
def key(cast, settings) -> SSHKey:
    settings.KEY_RING = OLD
    return SSHKey.objects.create(organization=cast.acme, name="k", public_key="ssh-ed25519 A", private_key="hunter2")


def test_every_secret_is_written_with_the_new_key(key, settings, capsys):
    settings.KEY_RING = f"{NEW},{OLD}"
    call_command("reencrypt")
    assert "servers.SSHKey: 1 written with the key new" in capsys.readouterr().out
    settings.KEY_RING = NEW
    assert SSHKey.objects.get().private_key == "hunter2"


def test_running_it_again_changes_nothing(key, settings, capsys):
    settings.KEY_RING = f"{NEW},{OLD}"
    call_command("reencrypt")
    call_command("reencrypt")
    assert "servers.SSHKey: 0 written" in capsys.readouterr().out


def test_with_a_missing_key_nothing_is_lost(key, settings):
    settings.KEY_RING = NEW
    with pytest.raises(CommandError, match=str(key.pk)):
        call_command("reencrypt")
    settings.KEY_RING = OLD
    assert SSHKey.objects.get().private_key == "hunter2"


def test_a_row_that_is_deleted_meanwhile_is_passed_over(cast, key, settings, capsys):
    """Both are on the list when the first is rewritten; the other one is gone by then."""
    other = SSHKey.objects.create(organization=cast.acme, name="o", public_key="ssh-ed25519 B", private_key="hunter3")
    settings.KEY_RING = f"{NEW},{OLD}"
    left = {key.pk, other.pk}

    def delete_other(execute, sql, params, many, context):
        if "FOR UPDATE" in sql and "servers_sshkey" in sql and len(left) == 2:
            left.discard(next(one for one in left if one not in params))
            SSHKey.objects.exclude(pk__in=left).delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete_other):
        call_command("reencrypt")
    assert "servers.SSHKey: 1 written with the key new" in capsys.readouterr().out
    settings.KEY_RING = NEW
    assert SSHKey.objects.get().private_key in ("hunter2", "hunter3")


def test_second_factors_too(cast, settings, capsys):
    settings.KEY_RING = OLD
    factors = [TOTP.activate(person, "JBSWY3DPEHPK3PXP").instance for person in (cast.alice, cast.bob)]
    factors[1].data["secret"] = "gcm:gone:AAAA"
    factors[1].save()
    settings.KEY_RING = f"{NEW},{OLD}"
    with pytest.raises(CommandError, match=f"mfa.Authenticator.data of {factors[1].pk}"):
        call_command("reencrypt")
    assert "mfa.Authenticator: 1 written with the key new" in capsys.readouterr().out
    settings.KEY_RING = NEW
    kept = Authenticator.objects.get(pk=factors[0].pk).data["secret"]
    assert get_adapter().decrypt(kept) == "JBSWY3DPEHPK3PXP"
