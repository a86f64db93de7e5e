"""Forms of the Django admin: what a DNS provider needs, with secrets that go in and never come out."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.exceptions import Problem
from apps.core.fields import unreadable
from apps.domains.dns_providers import writer_for
from apps.domains.dns_providers.rfc2136 import ALGORITHMS
from apps.domains.models import DnsProvider, DnsProviderKind

SETTINGS = ("server", "port", "key_name", "key_algorithm", "zone", "endpoint")
SECRETS = ("key_secret", "auth_token", "auth_access_key", "auth_access_secret")


def _text(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=500, widget=UnfoldAdminTextInputWidget()
    )


def _secret(label: str, help_text: str) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=2000, widget=widget)


class DnsProviderForm(forms.ModelForm):
    """Settings and secrets by name. An empty secret keeps the stored one."""

    server = _text("Server", "Dynamic update: host name or address of the primary server.")
    port = forms.IntegerField(
        required=False, min_value=1, max_value=65535, widget=UnfoldAdminIntegerFieldWidget(), help_text="53 unless set."
    )
    key_name = _text("Key name", "Dynamic update: the name of the TSIG key.")
    key_algorithm = forms.ChoiceField(
        choices=[(name, name) for name in ALGORITHMS], required=False, widget=UnfoldAdminSelectWidget()
    )
    key_secret = _secret("Key secret", "Dynamic update: base64. Empty: unchanged.")
    auth_token = _secret("API token", "Cloudflare, DigitalOcean. Empty: unchanged.")
    auth_access_key = _secret("Access key", "Route 53. Empty: unchanged.")
    auth_access_secret = _secret("Access secret", "Route 53. Empty: unchanged.")
    zone = _text("Zone", "Empty: found by itself.")
    endpoint = _text("Endpoint", "Another address of the API. Empty: the company's own.")

    class Meta:
        model = DnsProvider
        fields = ("name", "kind", "organization")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in SETTINGS:
            self.initial.setdefault(name, self.instance.settings.get(name))

    def clean(self) -> dict[str, Any]:
        """The provider as it would be is asked whether it is complete and allowed."""
        cleaned = super().clean()
        self.instance.settings = self._merged_settings(cleaned)
        self.instance.credentials = self._merged_credentials(cleaned)
        if cleaned.get("kind") and cleaned["kind"] != DnsProviderKind.MANUAL:
            self.instance.kind = cleaned["kind"]
            self.instance.name = cleaned.get("name", "")
            try:
                writer_for(self.instance).check_settings()
            except Problem as problem:
                raise forms.ValidationError(f"{problem.title} {problem.what_to_do}") from problem
        return cleaned

    def _merged_settings(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in self.instance.settings.items() if name not in SETTINGS}
        return kept | {name: cleaned[name] for name in SETTINGS if cleaned.get(name)}

    def _merged_credentials(self, cleaned: dict[str, Any]) -> str:
        # Those that cannot be decrypted any more are entered again, all of them.
        kept = {} if unreadable(self.instance) else self.instance.secrets
        merged = kept | {name: cleaned[name] for name in SECRETS if cleaned.get(name)}
        return json.dumps(merged) if merged else ""
