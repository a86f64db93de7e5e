"""What follows from rows that change, whoever changes them: a service, the admin, a cascade."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from apps.orgs import grants, readers
from apps.orgs.models import CustomRoleAssignment, Membership, PermissionOverride, Team
from apps.orgs.rights_changes import changing
from apps.orgs.signals import rights_changed


@receiver(post_save, sender=Membership, dispatch_uid="orgs.membership_saved")
def membership_saved(instance: Membership, raw: bool = False, **details: Any) -> None:
    """django-guardian's row follows the membership, in its transaction."""
    if not raw:
        grants.set_role(instance.organization, instance.role, user=instance.user)
    changing([instance.user_id], instance.organization_id)


@receiver(post_delete, sender=Membership, dispatch_uid="orgs.membership_deleted")
def membership_deleted(instance: Membership, **details: Any) -> None:
    """With the membership goes all else that the person was given in the organization."""
    user_id, organization_id = instance.user_id, instance.organization_id
    grants.forget_member(user_id, organization_id)
    _team_places(user_id, organization_id).delete()
    CustomRoleAssignment.objects.filter(user_id=user_id, role__organization_id=organization_id).delete()
    PermissionOverride.objects.filter(user_id=user_id, organization_id=organization_id).delete()
    changing([user_id], organization_id)


def _team_places(user_id: Any, organization_id: Any) -> Any:
    places = get_user_model().groups.through.objects
    return places.filter(user_id=user_id, group__team__organization_id=organization_id)


@receiver([post_save, post_delete], sender=CustomRoleAssignment, dispatch_uid="orgs.custom_role_given")
def custom_role_given(instance: CustomRoleAssignment, **details: Any) -> None:
    changing([instance.user_id], instance.role.organization_id)


@receiver([post_save, post_delete], sender=PermissionOverride, dispatch_uid="orgs.override_changed")
def override_changed(instance: PermissionOverride, **details: Any) -> None:
    changing([instance.user_id], instance.organization_id)


@receiver(post_delete, sender=Team, dispatch_uid="orgs.team_deleted")
def team_deleted(instance: Team, **details: Any) -> None:
    """The group is the team's alone, and with it go its roles."""
    changing(instance.group.user_set.values_list("pk", flat=True), instance.organization_id)
    Group.objects.filter(pk=instance.group_id).delete()


@receiver(m2m_changed, sender=get_user_model().groups.through, dispatch_uid="orgs.team_members_changed")
def team_members_changed(instance: Any, action: str, reverse: bool, pk_set: set[Any] | None, **details: Any) -> None:
    """People enter and leave teams, from the team's side (`reverse`) or from theirs."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    if reverse:
        people = pk_set or set(instance.user_set.values_list("pk", flat=True))
        for team in Team.objects.filter(group=instance):
            changing(people, team.organization_id)
    else:
        groups = pk_set or set(instance.groups.values_list("pk", flat=True))
        for team in Team.objects.filter(group__in=groups):
            changing([instance.pk], team.organization_id)


@receiver(rights_changed, dispatch_uid="orgs.codes_known")
def codes_known(user_ids: Any, organization_id: Any, **details: Any) -> None:
    """After the commit, whatever changed: nobody keeps a code that they may not give any more."""
    if organization_id is not None:
        readers.settle(organization_id, user_ids)
