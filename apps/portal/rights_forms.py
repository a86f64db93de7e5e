"""Forms of teams, roles and exceptions."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.orgs.access import codes_on
from apps.orgs.models import CustomRole, Organization, PermissionOverride, Team
from apps.orgs.roles import ORDERED_CODES
from apps.projects.models import Project


def codes_to_give(user: Any, organization: Organization) -> list[str]:
    """The codes that the person may give in the organization, in the table's order."""
    own = codes_on(user, organization)
    return [code for code in ORDERED_CODES if code in own and not code.startswith("portal.")]


def grouped(codes: list[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Codes as choices in groups: `org` and `project`."""
    titles = {"org": "Organization", "project": "Projects"}
    return [(title, [(code, code) for code in codes if code.startswith(f"{tier}.")]) for tier, title in titles.items()]


class TeamForm(forms.ModelForm):
    """Name, description and colour of a team."""

    class Meta:
        model = Team
        fields = ("name", "description", "colour")


class CustomRoleForm(forms.ModelForm):
    """A role of the organization's own: only codes that its author has can be chosen."""

    codes = forms.MultipleChoiceField(
        label="Permissions", widget=forms.CheckboxSelectMultiple, help_text="You can give what you have yourself."
    )

    class Meta:
        model = CustomRole
        fields = ("name", "description", "codes")

    def __init__(self, *args: Any, user: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["codes"].choices = grouped(codes_to_give(user, organization))


class OnProjectForm(forms.Form):
    """What can hold everywhere or on one project that the person who looks sees."""

    project = forms.ModelChoiceField(
        Project.objects.none(), required=False, empty_label="Everywhere in the organization"
    )

    def __init__(self, *args: Any, user: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects = Project.objects.visible_to(user).filter(organization=organization)
        self.fields["project"].queryset = projects


class GiveRoleForm(OnProjectForm):
    """One of the organization's own roles for a member."""

    role = forms.ModelChoiceField(CustomRole.objects.none(), empty_label="Choose a role")
    field_order = ("role", "project")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, organization=organization, **kwargs)
        self.fields["role"].queryset = CustomRole.objects.filter(organization=organization)


class OverrideForm(OnProjectForm):
    """An exception for one member."""

    code = forms.ChoiceField(label="Permission")
    effect = forms.ChoiceField(choices=PermissionOverride.Effect.choices, widget=forms.RadioSelect, label="Effect")
    expires_at = forms.DateTimeField(
        label="Until",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Left empty: for good.",
    )
    reason = forms.CharField(max_length=300, required=False)
    field_order = ("code", "effect", "project", "expires_at", "reason")

    def __init__(self, *args: Any, user: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, user=user, organization=organization, **kwargs)
        self.fields["code"].choices = grouped(codes_to_give(user, organization))
