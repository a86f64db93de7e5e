"""All that is stored about a person, as a ZIP file with JSON in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.accounts.models import Avatar, User
from apps.audit.models import Event
from apps.core import clock
from apps.core.fields import EncryptedTextField
from apps.portal.personal.relations import Relation, relations

# Not about the person but what opens doors: whoever gets hold of the file must not get in by it.
SECRET_NAME = re.compile(r"password|secret|token|key|hash|seed|credential|code|link")
SECRET_FIELDS = {("mfa.Authenticator", "data")}
README = """What OEC.SH stores about you.

data.json   person: your account. own: rows that are yours. done: what you made or did in organizations (when, and
            which; what it holds belongs to the organization). events: what the audit trail says about you.
picture.png your picture, if you have one.

Passwords, keys, codes and seeds are left out: nobody gets in by this file.
"""


def export(user: User) -> bytes:
    """The ZIP file of everything about the person."""
    content = {
        "made_at": clock.now(),
        "person": _row(user),
        "own": _tables(user, is_own=True),
        "done": _tables(user, is_own=False),
        "events": _events(user),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("data.json", json.dumps(content, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        avatar = Avatar.objects.filter(user=user).first()
        if avatar is not None:
            archive.writestr("picture.png", bytes(avatar.picture))
    return file.getvalue()


def _tables(user: User, *, is_own: bool) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = {}
    for relation in relations():
        rows = relation.model._base_manager.filter(**{relation.field: user})
        if relation.is_own == is_own and rows.exists():
            tables.setdefault(relation.label, []).extend(_rows(relation, rows))
    return tables


def _rows(relation: Relation, rows: models.QuerySet) -> list[dict[str, Any]]:
    if relation.is_own:
        return [_row(row) for row in rows.iterator()]
    # What was done in an organization: its content is the organization's, and the person may have left it.
    moments = [
        field.attname for field in relation.model._meta.concrete_fields if isinstance(field, models.DateTimeField)
    ]
    return [{"as": relation.field} | row for row in rows.values("pk", *moments).iterator()]


def _row(row: models.Model) -> dict[str, Any]:
    label = row._meta.label
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not isinstance(field, EncryptedTextField | models.BinaryField)
        and not SECRET_NAME.search(field.attname)
        and (label, field.attname) not in SECRET_FIELDS
    }


def _events(user: User) -> list[dict[str, Any]]:
    about = Event.objects.filter(models.Q(actor_id=user.pk) | models.Q(target_id=user.pk))
    names = ("created_at", "action", "organization_id", "target_type", "target_id", "ip_address")
    events = []
    for event in about.order_by("created_at").values(*names, "actor_id").iterator():
        if event.pop("actor_id") != user.pk:
            event["ip_address"] = None  # somebody else's
        events.append(event)
    return events
