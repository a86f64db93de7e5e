"""Git credentials and registry accounts of an organization: every write. What they hold is never given out again."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict
from apps.orgs.models import Organization
from apps.projects import keys
from apps.projects.models import GitCredential, RegistryAccount
from apps.projects.validators import validate_secret

_CREDENTIAL_FACTS = ["name", "kind", "host", "username", "public_key"]
_ACCOUNT_FACTS = ["name", "kind", "host", "username"]


@transaction.atomic
def add_token(
    *, organization: Organization, name: str, host: str, token: str, actor: User, username: str = ""
) -> GitCredential:
    """An access token for HTTPS at one Git server. Raises ValidationError, Conflict `projects.name_taken`."""
    validate_secret(token)
    credential = GitCredential(
        organization=organization,
        name=name,
        kind=GitCredential.Kind.TOKEN,
        host=host.lower(),
        username=username,
        token=token,
    )
    return _add(credential, "git_credential.added", _CREDENTIAL_FACTS, actor)


@transaction.atomic
def generate_deploy_key(*, organization: Organization, name: str, actor: User) -> GitCredential:
    """A new key pair for SSH; the public half goes to the Git server. Raises as `add_token`."""
    private, public = keys.generate(f"oecsh-{organization.slug}")
    credential = GitCredential(
        organization=organization,
        name=name,
        kind=GitCredential.Kind.SSH_KEY,
        private_key=private,
        public_key=public,
    )
    return _add(credential, "git_credential.added", _CREDENTIAL_FACTS, actor)


@transaction.atomic
def replace_token(*, credential: GitCredential, token: str, actor: User) -> None:
    """Puts a new token in the place of an old one: every repository that uses it goes on."""
    validate_secret(token)
    credential.token = token
    credential.save(update_fields=["token", "updated_at"])
    _record("git_credential.token_replaced", credential, actor)


@transaction.atomic
def forget_host_key(*, credential: GitCredential, actor: User) -> None:
    """The key of the Git server is pinned anew at the next connection."""
    credential.known_host = ""
    credential.save(update_fields=["known_host", "updated_at"])
    _record("git_credential.host_key_forgotten", credential, actor)


@transaction.atomic
def remove_credential(*, credential: GitCredential, actor: User) -> None:
    """Raises Conflict `projects.credential_in_use`."""
    users = [f"{repository.project}: {repository}" for repository in credential.repositories.select_related("project")]
    _remove(credential, users, "git_credential.removed", _CREDENTIAL_FACTS, actor)


@transaction.atomic
def add_registry_account(
    *, organization: Organization, name: str, kind: str, host: str, username: str, password: str, actor: User
) -> RegistryAccount:
    """The sign-in for a registry. Raises ValidationError, Conflict `projects.name_taken`."""
    validate_secret(password)
    account = RegistryAccount(
        organization=organization, name=name, kind=kind, host=host, username=username, password=password
    )
    return _add(account, "registry_account.added", _ACCOUNT_FACTS, actor)


@transaction.atomic
def replace_password(*, account: RegistryAccount, password: str, actor: User) -> None:
    """Puts a new password in the place of an old one."""
    validate_secret(password)
    account.password = password
    account.save(update_fields=["password", "updated_at"])
    _record("registry_account.password_replaced", account, actor)


@transaction.atomic
def remove_registry_account(*, account: RegistryAccount, actor: User) -> None:
    """Raises Conflict `projects.credential_in_use`."""
    users = [str(project) for project in account.projects.all()]
    _remove(account, users, "registry_account.removed", _ACCOUNT_FACTS, actor)


def _add(instance: Any, action: str, facts: list[str], actor: User) -> Any:
    instance.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            instance.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("projects.name_taken", name=instance.name) from error
    _record(action, instance, actor, after=audit.snapshot(instance, facts))
    return instance


def free_name(organization: Organization, wanted: str) -> str:
    """A name for a credential that is not taken yet: `wanted`, `wanted 2`, …"""
    taken = set(GitCredential.objects.filter(organization=organization).values_list("name", flat=True))
    numbered = (f"{wanted} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)


def _remove(instance: Any, users: list[str], action: str, facts: list[str], actor: User) -> None:
    if users:
        raise Conflict("projects.credential_in_use", name=instance.name, users=", ".join(users))
    _record(action, instance, actor, before=audit.snapshot(instance, facts))
    instance.delete()


def _record(action: str, target: Any, actor: User, **facts: Any) -> None:
    audit.record(action=action, actor=actor, organization_id=target.organization_id, target=target, **facts)
