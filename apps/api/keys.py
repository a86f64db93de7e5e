"""API keys: made, found, revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from apps.api.models import PREFIX, ApiKey
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Problem
from apps.orgs.access import Scope, narrow
from apps.orgs.models import Membership, Organization
from apps.projects.models import Project

MOST_KEYS = 100
# Ten years, leap days included.
LONGEST_LIFE = timedelta(days=3653)
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32  # characters of 62: 190 bits
_FORMAT = re.compile(rf"{PREFIX}(?:ro|rw)_[A-Za-z0-9]{{{_LENGTH}}}")
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


class KeyRefused(Exception):
    """Why a key opens nothing: `code` for programs, and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@transaction.atomic
def create_key(
    *,
    organization: Organization,
    name: str,
    kind: str,
    actor: Any,
    project: Project | None = None,
    expires_at: datetime | None = None,
    made_with: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is given out here and never again. `made_with` is the key that asked for it.

    Raises ValidationError; Problem `api.only_members`, `api.foreign_project`, `api.expiry_in_the_past`,
    `api.expiry_too_far`, `api.too_many_keys`, `api.key_outlives_its_maker`, `api.maker_is_over`.
    """
    _lock_keys(organization.pk)
    _check(organization, actor, project, expires_at, made_with)
    text = f"{PREFIX}{kind}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    key = ApiKey(
        organization=organization,
        project=project,
        created_by=actor,
        made_with=made_with,
        name=name,
        kind=kind,
        digest=_digest(text),
        last_four=text[-4:],
        expires_at=expires_at,
    )
    key.full_clean(validate_unique=False, validate_constraints=False)
    key.save(force_insert=True)
    after = {"name": name, "kind": kind, "project": project, "expires_at": expires_at, "ends_in": key.last_four}
    audit.record(action="api_key.created", actor=actor, organization_id=organization.pk, target=key, after=after)
    return key, text


def _check(
    organization: Organization,
    actor: Any,
    project: Project | None,
    expires_at: datetime | None,
    made_with: ApiKey | None,
) -> None:
    if not Membership.objects.filter(organization=organization, user=actor).exists():
        raise Problem("api.only_members", organization=organization)
    if project is not None and project.organization_id != organization.pk:
        raise Problem("api.foreign_project", organization=organization)
    if expires_at is not None and expires_at <= clock.now():
        raise Problem("api.expiry_in_the_past")
    if expires_at is not None and expires_at > clock.now() + LONGEST_LIFE:
        raise Problem("api.expiry_too_far")
    if made_with is not None and not ApiKey.objects.filter(pk=made_with.pk).usable().exists():
        raise Problem("api.maker_is_over")
    limit = made_with.expires_at if made_with is not None else None
    if limit is not None and (expires_at is None or expires_at > limit):
        raise Problem("api.key_outlives_its_maker", limit=limit.isoformat(timespec="seconds"))
    count = ApiKey.objects.filter(organization=organization).usable().count()
    if count >= MOST_KEYS:
        raise Problem("api.too_many_keys", organization=organization, count=count)


@transaction.atomic
def revoke_key(*, key: ApiKey, actor: Any) -> ApiKey:
    """Takes the key out of use at once and for ever, with all that were made with it. Asking twice is harmless."""
    _lock_keys(key.organization_id)
    wave = [key.pk]
    while wave:
        _revoke(ApiKey.objects.filter(pk__in=wave, revoked_at=None), actor)
        wave = list(ApiKey.objects.filter(made_with__in=wave).values_list("pk", flat=True))
    return ApiKey.objects.select_related("organization").get(pk=key.pk)


@transaction.atomic
def revoke_keys_of(*, user_id: uuid.UUID, organization_id: uuid.UUID) -> None:
    """Takes the keys of a person who left the organization out of use, so that none comes back with the person."""
    _lock_keys(organization_id)
    mine = ApiKey.objects.filter(created_by_id=user_id, organization_id=organization_id)
    _revoke(mine.usable(), None)


def _lock_keys(organization_id: uuid.UUID) -> None:
    """Nobody makes or revokes a key of the organization until the transaction ends."""
    Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()


def _revoke(found: Any, actor: Any) -> None:
    for key in found.order_by("pk").select_for_update(of=["self"], no_key=True):
        key.revoked_at, key.revoked_by = clock.now(), actor
        key.save(update_fields=["revoked_at", "revoked_by", "updated_at"])
        audit.record(
            action="api_key.revoked",
            actor=actor,
            organization_id=key.organization_id,
            target=key,
            before={"kind": key.kind, "ends_in": key.last_four},
        )


def open_key(text: str) -> ApiKey:
    """The usable key of this text, with `created_by` narrowed to what the key allows. One query, and one a minute that
    notes the use. Raises KeyRefused: `invalid_key_format`, `invalid_key`, `key_revoked`, `key_expired`,
    `key_disabled` (its person has left, or was locked out)."""
    if not _FORMAT.fullmatch(text):
        raise KeyRefused("invalid_key_format", f"A key begins with {PREFIX}ro_ or {PREFIX}rw_ and has 44 characters.")
    return _checked(ApiKey.objects.filter(digest=_digest(text)))


def reopen_key(key: ApiKey) -> ApiKey:
    """The same key as it is stored now, with the person loaded anew. Raises KeyRefused as `open_key`."""
    return _checked(ApiKey.objects.filter(pk=key.pk))


def _checked(found: Any) -> ApiKey:
    is_member = Membership.objects.filter(user=OuterRef("created_by"), organization=OuterRef("organization"))
    key = found.select_related("organization", "project", "created_by").annotate(is_member=Exists(is_member)).first()
    if key is None:
        raise KeyRefused("invalid_key", "There is no such key.")
    if key.status != "active":
        raise KeyRefused(f"key_{key.status}", f"This key is {key.status}.")
    person = key.created_by
    if not key.is_member or not person.is_active or person.is_locked:
        raise KeyRefused("key_disabled", "The person who made this key is no longer a member of the organization.")
    _note_use(key)
    narrow(
        key.created_by,
        Scope(organization_ids=frozenset({key.organization_id}), project_id=key.project_id, read_only=key.is_read_only),
    )
    return key


def _note_use(key: ApiKey) -> None:
    now = clock.now()
    old = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_IS_NOTED_EVERY)
    if key.last_used_at is None or key.last_used_at < now - _USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(old, pk=key.pk).update(last_used_at=now)
        key.last_used_at = now


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
