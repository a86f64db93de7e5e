"""An encrypted field is sealed in the database and cannot be searched."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from apps.core.fields import EncryptedTextField
from apps.core.keyring import DecryptionError
from apps.servers.models import SSHKey

SECRET = "planted-secret-value"


@pytest.fixture
def key(cast) -> SSHKey:
    return SSHKey.objects.create(organization=cast.acme, name="k", public_key="ssh-ed25519 A", private_key=SECRET)


def stored_value(key: SSHKey) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM servers_sshkey WHERE id = %s", [key.pk])
        return cursor.fetchone()[0]


def test_the_database_never_holds_it_in_clear(key):
    assert SECRET not in stored_value(key)
    assert SSHKey.objects.get().private_key == SECRET


def test_it_cannot_be_filtered(key):
    with pytest.raises(TypeError):
        list(SSHKey.objects.filter(private_key=SECRET))
    with pytest.raises(TypeError):
        list(SSHKey.objects.filter(private_key__contains="planted"))


def test_reading_a_damaged_value_fails_closed(key):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE servers_sshkey SET private_key = 'gcm:test:AAAA' WHERE id = %s", [key.pk])
    with pytest.raises(DecryptionError):
        _ = SSHKey.objects.get().private_key


def test_every_secret_of_every_model_is_encrypted():
    """A field whose name says that it holds a secret is encrypted, or named here with the reason."""
    allowed = {
        "accounts.user.password",  # a hash
        "operations.operation.lease_token",  # a fencing number, no secret
        "notifications.delivery.lease_token",  # the same
        "notifications.mail.lease_token",
        "notifications.webhook.previous_secret_until",  # a moment
        "environments.environment.admin_password_changed",  # a fact
        "environments.environment.admin_password_hash",  # a hash
    }
    words = ("password", "private_key", "passphrase", "secret", "token", "credentials")
    found = {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        for field in model._meta.concrete_fields
        if any(word in field.name for word in words) and not isinstance(field, EncryptedTextField)
    }
    assert found - allowed == set()
