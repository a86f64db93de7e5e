"""What people enter about API keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from apps.accounts.models import User
from apps.api.models import ApiKey
from apps.core import clock
from apps.core.validators import validate_plain_text
from apps.orgs.models import Organization
from apps.projects.models import Project

NEVER = "never"


class ApiKeyForm(forms.Form):
    """A new key."""

    name = forms.CharField(max_length=80, validators=[validate_plain_text], help_text="What uses it, for example CI.")
    kind = forms.ChoiceField(
        label="Access", choices=ApiKey.Kind.choices, initial=ApiKey.Kind.READ_ONLY, widget=forms.RadioSelect
    )
    project = forms.ModelChoiceField(Project.objects.none(), required=False, empty_label="The whole organization")
    expires = forms.ChoiceField(
        choices=[("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), (NEVER, "Never")], initial="90"
    )

    def __init__(self, *arguments: Any, organization: Organization, person: User, **details: Any) -> None:
        super().__init__(*arguments, **details)
        projects = Project.objects.visible_to(person).in_organization(organization)
        self.fields["project"].queryset = projects.order_by("name")

    def values(self) -> dict[str, Any]:
        """What `keys.create_key` takes."""
        data = self.cleaned_data
        return {"name": data["name"], "kind": data["kind"], "project": data["project"], "expires_at": self._expiry()}

    def _expiry(self) -> datetime | None:
        chosen = self.cleaned_data["expires"]
        return None if chosen == NEVER else clock.now() + timedelta(days=int(chosen))
