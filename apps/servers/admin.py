"""Servers and keys for platform staff. Secrets can be written, and are never shown; the actions call the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core.admin_pages import ReadOnlyAdmin
from apps.core.exceptions import Problem
from apps.servers import keys, services, states
from apps.servers.models import Installation, Server, SSHKey
from apps.servers.objections import ensure_nothing_at_work


class SSHKeyForm(forms.ModelForm):
    """A pasted key takes the place of the stored one; left empty, the stored one stays."""

    new_private_key = forms.CharField(
        label="New private key",
        required=False,
        strip=False,
        help_text="Left empty, the stored key stays. It is never shown.",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
    )
    new_passphrase = forms.CharField(
        label="Its passphrase",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = SSHKey
        fields = ("organization", "name")

    def clean(self) -> dict[str, Any]:
        """The new key can be used; a key that is made here needs one."""
        data = super().clean()
        text = data.get("new_private_key")
        if text:
            try:
                self.pair = keys.parse(text, data.get("new_passphrase", ""))
            except Problem as problem:
                self.add_error("new_private_key", f"{problem.title} {problem.what_to_do}")
        elif self.instance._state.adding:
            self.add_error("new_private_key", "Paste a private key.")
        return data

    def save(self, commit: bool = True) -> SSHKey:
        """Stores the pasted key with what follows from it."""
        text = self.cleaned_data["new_private_key"]
        if text:
            self.instance.private_key = text
            self.instance.passphrase = self.cleaned_data["new_passphrase"]
            self.instance.public_key = f"{self.pair.public_key} oecsh"
            self.instance.fingerprint = self.pair.fingerprint
            self.instance.generated = False
        return super().save(commit)


@admin.register(SSHKey)
class SSHKeyAdmin(ModelAdmin):
    form = SSHKeyForm
    fields = ("organization", "name", "new_private_key", "new_passphrase", "public_key", "fingerprint", "generated")
    readonly_fields = ("public_key", "fingerprint", "generated")
    list_display = ("name", "organization", "fingerprint", "generated", "created_at")
    list_filter = ("generated",)
    search_fields = ("name", "fingerprint", "organization__name")
    autocomplete_fields = ("organization",)
    list_select_related = ("organization",)


class ServerForm(forms.ModelForm):
    """Asks beforehand what the service would refuse, so that it stands in the form."""

    class Meta:
        model = Server
        fields = "__all__"  # noqa: DJ007  (the admin below names what cannot be changed)

    def clean(self) -> dict[str, Any]:
        """The key is one of the organization's, the address may be pointed to, and nothing relies on what changes."""
        data = super().clean()
        organization = data.get("organization") or self.instance.organization
        key = data.get("ssh_key")
        if key is not None and key.organization_id != organization.pk:
            self.add_error("ssh_key", "Choose a key of the server's organization.")
        try:
            if "public_address" in self.changed_data:
                services.check_public_address(data.get("public_address", ""))
            if not self.instance._state.adding and set(self.changed_data) - services.AT_ANY_TIME:
                ensure_nothing_at_work(self.instance)
        except Problem as problem:
            self.add_error(None, f"{problem.title} {problem.what_to_do}")
        return data


@admin.register(Server)
class ServerAdmin(ModelAdmin):
    """A host key is confirmed on the server's own page, and a status is what was seen: neither is typed here. What is
    changed goes through the service; whose a server is does not change."""

    form = ServerForm
    list_display = ("name", "organization", "address", "port", "status", "last_seen_at")
    list_filter = ("status",)
    search_fields = ("name", "slug", "address", "organization__name", "host_key_fingerprint")
    autocomplete_fields = ("organization", "ssh_key")
    list_select_related = ("organization",)
    readonly_fields = (
        "host_key_fingerprint",
        "status",
        "status_reason",
        "facts",
        "bootstrapped_at",
        "last_seen_at",
        "next_check_at",
        "created_at",
        "updated_at",
    )
    actions = ("look_at_selected", "prepare_selected", "check_soon")

    def get_readonly_fields(self, request: HttpRequest, obj: Server | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "organization", "slug")

    def save_model(self, request: HttpRequest, obj: Server, form: forms.ModelForm, change: bool) -> None:
        """Only what was changed is written: meanwhile a check may have written the rest."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        server = Server.objects.select_related("organization").get(pk=obj.pk)
        services.update_server(server=server, actor=request.user, **changed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Servers are removed by their operation, which asks what is placed on them."""
        return False

    @admin.action(description="Look at the selected servers now")
    def look_at_selected(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server in queryset.select_related("organization", "ssh_key"):
            services.sync(server)
            messages.info(request, f"{server.name}: {server.status} {server.status_reason}")

    @admin.action(description="Prepare the selected servers again")
    def prepare_selected(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server in queryset.select_related("organization"):
            try:
                services.bootstrap(server=server, actor=request.user)
            except Problem as problem:
                messages.error(request, f"{server.name}: {problem.title} {problem.what_to_do}")
            else:
                messages.success(request, f"{server.name}: the preparation is queued.")

    @admin.action(description="Check the selected servers at the next tick")
    def check_soon(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server in queryset:
            states.check_soon(server)


@admin.register(Installation)
class InstallationAdmin(ReadOnlyAdmin):
    """By its id a machine knows where it belongs."""

    list_display = ("id", "created_at")
