"""The platform's settings, for those who may change them. The token of a repository goes in and never comes out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.audit import services as audit
from apps.core.fields import unreadable
from apps.platform import current, signals
from apps.platform.models import SINGLETON, EnvironmentSize, OdooSeries, PlatformRepository, PlatformSettings


class ByCode(ModelAdmin):
    """Who looks and who changes is asked by the codes of the portal's tier, and every change is recorded."""

    view_code = "portal.settings.view"
    manage_code = ""
    recorded: tuple[str, ...] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(self.view_code) or request.user.has_perm(self.manage_code)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.manage_code)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(self.manage_code)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(self.manage_code)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: models.Model, form: forms.ModelForm, change: bool) -> None:
        before = type(obj).objects.filter(pk=obj.pk).first() if change else None
        super().save_model(request, obj, form, change)
        fields = [name for name in form.changed_data if name in self.recorded]
        secrets = {name: True for name in form.changed_data if name not in self.recorded}
        self._record(
            request,
            obj,
            "changed" if change else "added",
            before=audit.snapshot(before, fields) if before else {},
            after=audit.snapshot(obj, fields) | secrets,
        )

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        self._record(request, obj, "deleted")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def _record(self, request: HttpRequest, obj: models.Model, what: str, **values: dict[str, Any]) -> None:
        target = obj if isinstance(obj, OdooSeries | EnvironmentSize | PlatformRepository) else None
        audit.record(action=f"{obj._meta.model_name}.{what}", actor=request.user, target=target, **values)
        current.forget()


@admin.register(PlatformSettings)
class PlatformSettingsAdmin(ByCode):
    """One page: the list leads to the only row."""

    manage_code = "portal.settings.manage"
    recorded = (
        "base_domain",
        "acme_directory_url",
        "acme_contact",
        "mail_sender",
        "environments_per_server",
        "server_reserved_megabytes",
        "destroyed_retention_days",
        "audit_retention_days",
    )
    fieldsets = (
        ("Names", {"fields": ("base_domain",)}),
        ("Certificates", {"fields": ("acme_directory_url", "acme_contact")}),
        ("Mail", {"fields": ("mail_sender",)}),
        ("Limits", {"fields": ("environments_per_server", "server_reserved_megabytes", "destroyed_retention_days")}),
        ("Audit trail", {"fields": ("audit_retention_days",)}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The row is made at the first look; it says nothing until somebody fills it in."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        PlatformSettings.objects.get_or_create(pk=SINGLETON)
        return redirect(reverse("admin:platform_platformsettings_change", args=[SINGLETON]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OdooSeries)
class OdooSeriesAdmin(ByCode):
    """The versions are those that the platform has rules for: they are neither added nor deleted here."""

    manage_code = "portal.odoo_versions.manage"
    recorded = ("image", "postgres_image", "supported_until", "is_offered")
    list_display = ("__str__", "is_offered", "supported_until", "end_of_life", "image", "postgres_image")
    list_filter = ("is_offered",)
    fields = ("version", "is_offered", "supported_until", "image", "postgres_image")
    readonly_fields = ("version",)

    @admin.display(boolean=True)
    def end_of_life(self, series: OdooSeries) -> bool:
        """Whether Odoo's support is over."""
        return series.is_end_of_life

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(EnvironmentSize)
class EnvironmentSizeAdmin(ByCode):
    """One row for each type of environment: they are neither added nor deleted here."""

    manage_code = "portal.settings.manage"
    recorded = ("cpu", "memory_megabytes", "disk_megabytes", "workers")
    list_display = ("__str__", "cpu", "memory_megabytes", "disk_megabytes", "workers")
    fields = ("environment_type", *recorded)
    readonly_fields = ("environment_type",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PlatformRepositoryForm(forms.ModelForm):
    """A new token takes the place of the stored one; left empty, the stored one stays."""

    new_token = forms.CharField(
        label="New access token",
        required=False,
        help_text="Left empty, the stored token stays. It is never shown.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    forget_token = forms.BooleanField(required=False, label="Forget the stored token")

    class Meta:
        model = PlatformRepository
        fields = ("name", "slug", "description", "url", "branch_map", "username", "priority", "is_active")

    def clean(self) -> dict[str, Any]:
        """A token that was given for one Git server is not sent to another."""
        data = super().clean()
        has_token = bool(unreadable(self.instance) or self.instance.token)
        moved = "url" in self.changed_data and has_token and not data.get("new_token")
        if moved and not data.get("forget_token"):
            self.add_error("url", "The stored token is for the old address: give a new one, or forget it.")
        if data.get("new_token") and not str(data.get("url", "")).startswith("https://"):
            self.add_error("new_token", "A token is sent to an https:// address only.")
        return data

    def save(self, commit: bool = True) -> PlatformRepository:
        """Stores the token where there is a new one."""
        if self.cleaned_data["new_token"]:
            self.instance.token = self.cleaned_data["new_token"]
        elif self.cleaned_data["forget_token"]:
            self.instance.token = ""
        return super().save(commit)


@admin.register(PlatformRepository)
class PlatformRepositoryAdmin(ByCode):
    form = PlatformRepositoryForm
    manage_code = "portal.addon_repos.manage"
    recorded = ("name", "slug", "description", "url", "branch_map", "username", "priority", "is_active")
    list_display = ("name", "slug", "url", "priority", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "slug", "url")
    actions = ("check_branches",)

    @admin.action(description="Check: ask for the branches and their commits", permissions=["change"])
    def check_branches(self, request: HttpRequest, queryset: models.QuerySet[PlatformRepository]) -> None:
        """Whether the deployments of each version can have the code, and which commit they would take now."""
        for repository in queryset:
            for _receiver, branches in signals.repository_checked.send(PlatformRepository, repository=repository):
                for found in branches:
                    level = messages.SUCCESS if found.is_good else messages.ERROR
                    words = f"{repository}, Odoo {found.version}: {found.branch} {found.words}"
                    self.message_user(request, words, level)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        """What is known of its commits goes along: those rows are nobody's to delete otherwise."""
        to_delete, counts, missing, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, missing - {"source snapshot"}, protected

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The short name becomes part of paths on servers: it stays."""
        return ("slug",) if obj else ()
