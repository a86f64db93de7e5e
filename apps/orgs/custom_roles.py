"""Roles that an organization makes itself, and who has them: every write."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.orgs.authority import ensure_somebody_else, ensure_within_own, lock_member
from apps.orgs.models import CustomRole, CustomRoleAssignment, Organization
from apps.orgs.rights_changes import changing


@transaction.atomic
def create_role(
    *, organization: Organization, name: str, codes: Iterable[str], actor: User, description: str = ""
) -> CustomRole:
    """A role with these codes. Raises Problem `orgs.more_than_own` for a code that its author lacks, Conflict
    `orgs.role_name_taken`, ValidationError for a bad name or a code that nobody can give."""
    role = CustomRole(organization=organization, name=name, description=description, codes=sorted(set(codes)))
    role.full_clean(validate_unique=False, validate_constraints=False)
    ensure_within_own(actor, role.codes, organization.pk, held=False)
    _save(role)
    _record("role.created", role, actor, after=_as_audit(role))
    return role


@transaction.atomic
def update_role(
    *,
    role: CustomRole,
    actor: User,
    name: str | None = None,
    codes: Iterable[str] | None = None,
    description: str | None = None,
) -> CustomRole:
    """Changes the role for everybody who has it, at once; what is not named (None) stays as it is stored.

    Raises as create_role, for the codes before as for those after, and Problem `orgs.not_oneself` where the actor has
    the role.
    """
    stored = _locked(role)
    before = _as_audit(stored)
    if not actor.is_superuser and stored.assignments.filter(user=actor).exists():
        raise Problem("orgs.not_oneself")
    held = stored.assignments.exists()
    ensure_within_own(actor, stored.codes, stored.organization_id, held=held)
    stored.name = stored.name if name is None else name
    stored.description = stored.description if description is None else description
    stored.codes = stored.codes if codes is None else sorted(set(codes))
    stored.full_clean(validate_unique=False, validate_constraints=False)
    ensure_within_own(actor, stored.codes, stored.organization_id, held=held)
    _save(stored)
    changing(stored.assignments.values_list("user_id", flat=True), stored.organization_id)
    _record("role.updated", stored, actor, before=before, after=_as_audit(stored))
    return stored


@transaction.atomic
def delete_role(*, role: CustomRole, actor: User) -> None:
    """Deletes the role, and so takes it from everybody, the actor too. Raises Problem `orgs.more_than_own`."""
    role = _locked(role)
    ensure_within_own(actor, role.codes, role.organization_id, held=role.assignments.exists())
    _record("role.deleted", role, actor, before=_as_audit(role))
    role.delete()


@transaction.atomic
def give_role(
    *, role: CustomRole, user: User, actor: User, project_id: uuid.UUID | None = None
) -> CustomRoleAssignment:
    """Gives a member the role, everywhere or on one project of the organization (the caller has looked that it is).

    Raises Problem `orgs.more_than_own`, `orgs.not_oneself`, `orgs.owner_exempt`, `orgs.not_a_member`.
    """
    role = _locked(role)
    ensure_somebody_else(actor, lock_member(role.organization_id, user))
    ensure_within_own(actor, role.codes, role.organization_id, project_id)
    assignment, is_new = CustomRoleAssignment.objects.get_or_create(role=role, user=user, on_project=project_id)
    if is_new:
        after = {"person": str(user), "project": str(project_id or "")}
        _record("role.given", role, actor, after=after)
    return assignment


@transaction.atomic
def take_role(*, assignment: CustomRoleAssignment, actor: User) -> None:
    """Takes the role from a member. Raises as give_role."""
    ensure_somebody_else(actor, lock_member(assignment.role.organization_id, assignment.user))
    ensure_within_own(actor, assignment.role.codes, assignment.role.organization_id, assignment.on_project)
    before = {"person": str(assignment.user), "project": str(assignment.on_project or "")}
    _record("role.taken", assignment.role, actor, before=before)
    assignment.delete()


def _locked(role: CustomRole) -> CustomRole:
    """The role as it is now. Raises Conflict `orgs.role_gone` where somebody has deleted it meanwhile."""
    found = CustomRole.objects.select_for_update().filter(pk=role.pk).first()
    if found is None:
        raise Conflict("orgs.role_gone", name=role.name)
    return found


def _save(role: CustomRole) -> None:
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError as error:
        raise Conflict("orgs.role_name_taken", name=role.name) from error


def _as_audit(role: CustomRole) -> dict[str, str]:
    return {"name": role.name, "description": role.description, "codes": ", ".join(role.codes)}


def _record(
    action: str,
    role: CustomRole,
    actor: User,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(
        action=action, actor=actor, organization_id=role.organization_id, target=role, before=before, after=after
    )
