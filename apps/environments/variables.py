"""Environment variables of an environment: grammar, kinds, reserved names, and every write."""

from __future__ import annotations

import json
import re

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Problem
from apps.core.fields import unreadable
from apps.core.masking import MASK, SHORTEST_SECRET
from apps.core.validators import validate_variable_name
from apps.environments.changes import mark_changed
from apps.environments.models import Environment, EnvironmentVariable
from apps.environments.states import ensure_editable

LONGEST_VALUE = 32 * 1024
MAXIMUM_VARIABLES = 200
# What the image's entry point, libpq, the loader, the shell or Python give a meaning.
_RESERVED = frozenset(
    {"HOST", "PORT", "USER", "PASSWORD", "PASSWORD_FILE", "ODOO_RC", "ODOO_VERSION", "PATH", "HOME", "SHELL", "IFS"}
    | {"ENV", "BASH_ENV", "HOSTNAME", "PWD", "SHLVL", "LANG", "LANGUAGE", "GCONV_PATH", "NODE_OPTIONS", "PERL5LIB"}
    | {"DB_PORT_5432_TCP_ADDR", "DB_PORT_5432_TCP_PORT", "DB_ENV_POSTGRES_USER", "DB_ENV_POSTGRES_PASSWORD"}
)
_RESERVED_PREFIXES = ("PG", "LD_", "PYTHON", "LC_", "OECSH_", "OPENSSL_", "POSTGRES_", "MALLOC_", "GLIBC_", "DOCKER_")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": "true", "yes": "true", "1": "true", "on": "true"} | {
    "false": "false",
    "no": "false",
    "0": "false",
    "off": "false",
}


def validate_key(key: str) -> None:
    """Raises ValidationError for a bad name, Problem `environments.reserved_variable` for one that is taken."""
    validate_variable_name(key)
    name = key.upper()
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        raise Problem("environments.reserved_variable", key=key)


def clean_value(kind: str, value: str) -> str:
    """The value as it is stored and handed to the container. Raises ValidationError when it is not of its kind."""
    if len(value.encode()) > LONGEST_VALUE:
        raise ValidationError("A value has at most 32 KB.")
    if _CONTROL.search(value):
        raise ValidationError("Leave out control characters; only line ends and tabs are allowed.")
    return {"number": _number, "boolean": _boolean, "json": _json}.get(kind, str)(value)


@transaction.atomic
def set_variable(
    *, environment: Environment, key: str, value: str, actor: User, kind: str = "string", sensitive: bool = False
) -> EnvironmentVariable:
    """Sets or changes a variable; applied at the next deployment. A sensitive one stays sensitive: what was entered
    as a secret is never shown later by a change of mind.

    Raises ValidationError, Problem `environments.reserved_variable`, Conflict `environments.not_editable`.
    """
    environment = Environment.objects.select_for_update(of=["self"]).get(pk=environment.pk)
    ensure_editable(environment)
    validate_key(key)
    if kind not in EnvironmentVariable.Kind.values:
        raise ValidationError("A variable is a text, a number, a boolean or JSON.")
    found = environment.variables.filter(key=key).first()
    if found is None and environment.variables.count() >= MAXIMUM_VARIABLES:
        raise ValidationError(f"An environment has at most {MAXIMUM_VARIABLES} variables.")
    variable = found or EnvironmentVariable(environment=environment, key=key)
    secret = sensitive or variable.sensitive
    # What is a secret from now on was one before: its old value is not written down either.
    before = _facts(variable) | ({"value": MASK} if secret else {}) if found else None
    cleaned = clean_value(kind, value)
    if secret and len(cleaned.strip()) < SHORTEST_SECRET:
        raise ValidationError(f"A secret has at least {SHORTEST_SECRET} characters, or it could not be masked in logs.")
    # One that cannot be decrypted any more is replaced by being set again.
    is_lost = bool(unreadable(variable))
    changed = is_lost or found is None or (variable.value, variable.kind, variable.sensitive) != (cleaned, kind, secret)
    variable.value, variable.kind, variable.sensitive = cleaned, kind, secret
    variable.full_clean(validate_unique=False, validate_constraints=False)
    if changed:
        variable.save()
        _record("variable.set", variable, actor, before=before, after=_facts(variable))
        mark_changed(environment, f"Variable {key}")
    return variable


@transaction.atomic
def delete_variable(*, variable: EnvironmentVariable, actor: User) -> None:
    """Removes a variable; the container keeps it until the next deployment."""
    environment = Environment.objects.select_for_update(of=["self"]).get(pk=variable.environment_id)
    ensure_editable(environment)
    _record("variable.deleted", variable, actor, before=_facts(variable))
    key = variable.key
    variable.delete()
    mark_changed(environment, f"Variable {key} removed")


def _number(value: str) -> str:
    number = value.strip()
    if not _NUMBER.fullmatch(number):
        raise ValidationError("This is not a number.")
    return number


def _boolean(value: str) -> str:
    try:
        return _BOOLEANS[value.strip().lower()]
    except KeyError as error:
        raise ValidationError("Use true or false.") from error


def _json(value: str) -> str:
    try:
        json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"This is not JSON: {error}.") from error
    return value.strip()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


def _facts(variable: EnvironmentVariable) -> dict[str, object]:
    value = MASK if variable.sensitive or unreadable(variable) else variable.value
    return {"key": variable.key, "kind": variable.kind, "sensitive": variable.sensitive, "value": value}


def _record(action: str, variable: EnvironmentVariable, actor: User, **facts: object) -> None:
    organization_id = variable.environment.project.organization_id
    audit.record(action=action, actor=actor, organization_id=organization_id, target=variable.environment, **facts)
