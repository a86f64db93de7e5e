"""What people enter about servers."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.core.exceptions import Problem
from apps.orgs.models import Organization
from apps.servers import keys
from apps.servers.models import Server, SSHKey

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
GENERATE, CHOOSE, PASTE = "generate", "choose", "paste"


class ServerForm(forms.ModelForm):
    """A new server: how it is reached, and the key that opens it."""

    key_source = forms.ChoiceField(
        label="SSH key",
        choices=[
            (GENERATE, "Make a key pair; I add its public half on the server"),
            (PASTE, "Paste a private key that the server accepts already"),
            (CHOOSE, "Use a key of the organization"),
        ],
        initial=GENERATE,
        widget=forms.RadioSelect,
    )
    ssh_key = forms.ModelChoiceField(SSHKey.objects.none(), label="Key of the organization", required=False)
    private_key = forms.CharField(
        label="Private key",
        required=False,
        max_length=keys.LONGEST_TEXT,
        strip=False,
        help_text="OpenSSH or PEM; ed25519, ECDSA or RSA. Kept encrypted, and never shown again.",
        widget=forms.Textarea(attrs=_CODE | {"rows": 5, "class": "mono"}),
    )
    passphrase = forms.CharField(
        required=False,
        max_length=1000,
        strip=False,
        help_text="Of the pasted key, where it has one.",
        widget=forms.PasswordInput(attrs=_CODE | {"autocomplete": "new-password"}),
    )

    class Meta:
        model = Server
        fields = ("name", "address", "port", "user", "http_port", "https_port", "network_range", "cpu_overcommit")
        labels = {"port": "SSH port", "cpu_overcommit": "CPU overcommit"}
        widgets = {"address": forms.TextInput(attrs=_CODE), "user": forms.TextInput(attrs=_CODE)}

    advanced = ("http_port", "https_port", "network_range", "cpu_overcommit")

    def __init__(self, *arguments: Any, organization: Organization, **details: Any) -> None:
        super().__init__(*arguments, **details)
        self.organization = organization
        found = SSHKey.objects.filter(organization=organization)
        self.fields["ssh_key"].queryset = found
        if not found.exists():
            self.fields["key_source"].choices = self.fields["key_source"].choices[:2]
            del self.fields["ssh_key"]

    def clean(self) -> dict[str, Any]:
        """The key that was chosen is there, and a pasted one can be used."""
        data = super().clean()
        source = data.get("key_source")
        if source == CHOOSE and not data.get("ssh_key"):
            self.add_error("ssh_key", "Choose a key.")
        if source == PASTE:
            try:
                keys.parse(data.get("private_key", ""), data.get("passphrase", ""))
            except Problem as problem:
                is_about_passphrase = "passphrase" in problem.code
                self.add_error(
                    "passphrase" if is_about_passphrase else "private_key", f"{problem.title} {problem.what_to_do}"
                )
        return data

    def key_arguments(self) -> dict[str, Any]:
        """What `services.add_server` takes about the key."""
        source = self.cleaned_data["key_source"]
        if source == PASTE:
            return {name: self.cleaned_data[name] for name in ("private_key", "passphrase")}
        return {"ssh_key": self.cleaned_data["ssh_key"]} if source == CHOOSE else {}

    def settings(self) -> dict[str, Any]:
        """The fields of the server itself."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    @property
    def has_advanced_errors(self) -> bool:
        """The advanced part is opened where something in it is wrong."""
        return any(name in self.errors for name in self.advanced)

    def advanced_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.advanced]


class ServerSettingsForm(forms.ModelForm):
    """What may change of a server."""

    class Meta:
        model = Server
        fields = (
            "name",
            "address",
            "port",
            "user",
            "ssh_key",
            "http_port",
            "https_port",
            "public_address",
            "network_range",
            "cpu_overcommit",
        )
        labels = ServerForm.Meta.labels
        widgets = ServerForm.Meta.widgets

    def __init__(self, *arguments: Any, **details: Any) -> None:
        super().__init__(*arguments, **details)
        self.fields["ssh_key"].queryset = SSHKey.objects.filter(organization=self.instance.organization)
        self.fields["address"].help_text = "Another address or SSH port has another host key, which must be confirmed."
        for name in ("http_port", "https_port"):
            self.fields[name].help_text = "Takes effect when the server is prepared again."
