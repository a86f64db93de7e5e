"""Forms of webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q

from apps.accounts.models import User
from apps.core.fields import unreadable
from apps.core.validators import validate_plain_text
from apps.notifications.kinds import grouped, webhook_kinds
from apps.notifications.models import Format, Webhook
from apps.notifications.validators import LONGEST_URL, validate_webhook_url
from apps.orgs.models import Organization
from apps.projects.models import Project

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class WebhookForm(forms.Form):
    """A new webhook, or changes of one: then an empty address leaves the stored one."""

    name = forms.CharField(max_length=80, validators=[validate_plain_text])
    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        validators=[validate_webhook_url],
        widget=forms.TextInput(attrs=_CODE | {"inputmode": "url", "placeholder": "https://"}),
    )
    format = forms.ChoiceField(
        choices=Format.choices,
        help_text="Slack, Teams and Discord get a message that they can show; raw is signed JSON.",
    )
    project = forms.ModelChoiceField(
        Project.objects.none(), required=False, empty_label="The whole organization", label="About"
    )
    events = forms.MultipleChoiceField(
        label="Called when", widget=forms.CheckboxSelectMultiple, help_text="At most ten."
    )

    def __init__(
        self, *arguments: Any, person: User, organization: Organization, webhook: Webhook | None = None, **more: Any
    ) -> None:
        super().__init__(*arguments, **more)
        # Those that the person sees, and the one that the webhook is about: saving does not change it unseen.
        seen = Q(pk__in=Project.objects.visible_to(person).order_by().values("pk"))
        kept = Q(pk=webhook.project_id if webhook is not None else None)
        self.fields["project"].queryset = Project.objects.filter(seen | kept, organization=organization)
        self.fields["events"].choices = [
            (group, [(kind.name, f"{kind.title} ({kind.name})") for kind in kinds])
            for group, kinds in grouped(webhook_kinds())
        ]
        if webhook is not None:
            self.initial |= {name: getattr(webhook, name) for name in ("name", "format", "project", "events")}
            self.fields["url"].required = bool(unreadable(webhook, "url"))
            self.fields["url"].help_text = (
                "The stored address cannot be decrypted any more: enter it again."
                if self.fields["url"].required
                else f"Left empty, the stored address at {webhook.host} stays. It is not shown."
            )

    def changes(self) -> dict[str, Any]:
        """What was entered, without an address that stays."""
        return {name: value for name, value in self.cleaned_data.items() if name != "url" or value}
