"""Writing the audit trail."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.http import HttpRequest

from apps.audit.models import Event
from apps.core import clock, request_context
from apps.core.fields import EncryptedTextField, unreadable
from apps.core.masking import MASK, mask

_SECRET_WORDS = ("password", "secret", "token", "private_key", "passphrase", "api_key", "credential")


def _plain(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in _SECRET_WORDS) and value and not isinstance(value, bool):
        return MASK
    if isinstance(value, dict):
        return {key: _plain(key, item) for key, item in value.items()}
    if isinstance(value, bool | int | float | type(None)):
        return value
    return mask(str(value))


def snapshot(instance: models.Model, fields: list[str]) -> dict[str, Any]:
    """The named fields as they are now, for `before` and `after`; encrypted ones are masked."""
    values = {}
    for name in fields:
        encrypted = isinstance(instance._meta.get_field(name), EncryptedTextField)
        # One that cannot be decrypted is there all the same.
        is_set = encrypted and (unreadable(instance, name) or getattr(instance, name))
        values[name] = MASK if is_set else _plain(name, getattr(instance, name))
    return values


def record(
    *,
    action: str,
    actor: Any = None,
    organization_id: uuid.UUID | None = None,
    target: models.Model | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    request: HttpRequest | None = None,
) -> Event:
    """Appends an event; call it inside the transaction of what it records. Secrets are masked. Who is asking, from
    where and by which key is known from the request that is being answered, where nothing else is said."""
    context = request_context.current() or request_context.RequestContext(request)
    actor = actor if getattr(actor, "pk", None) else context.person
    return Event.objects.create(
        created_at=clock.now(),
        action=action,
        actor_id=actor.pk if actor else None,
        actor_name=str(actor)[:254] if actor else "",
        organization_id=organization_id,
        target_type=target._meta.label_lower if target is not None else "",
        target_id=target.pk if target is not None else None,
        target_name=str(target)[:254] if target is not None else "",
        ip_address=context.address,
        key_id=context.key_id,
        key_name=context.key_name,
        viewer_id=context.viewer.pk if context.viewer else None,
        viewer_name=str(context.viewer)[:254] if context.viewer else "",
        before={name: _plain(name, value) for name, value in (before or {}).items()},
        after={name: _plain(name, value) for name, value in (after or {}).items()},
    )
