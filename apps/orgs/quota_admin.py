"""Quotas for platform staff: set, and asked for; invitations and other rows of organizations, to be looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin_pages import ReadOnlyAdmin, ServiceAdmin, text_of
from apps.core.exceptions import Problem
from apps.orgs import invitations, quota_requests
from apps.orgs.models import (
    FormerSlug,
    Invitation,
    InvitationReader,
    InvitationUse,
    OrganizationLogo,
    Quota,
    QuotaRequest,
    UsageSample,
)


class OfOrganizations:
    """Staff look with `portal.organizations.view`, and act with `portal.organizations.manage`."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portal.organizations.view")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("portal.organizations.view")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portal.organizations.manage")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Quota)
class QuotaAdmin(OfOrganizations, ServiceAdmin):
    """What an organization may allocate; empty is unlimited. What is allocated already stays."""

    list_display = ("organization", "cpu", "memory_megabytes", "disk_megabytes", "environments", "servers")
    search_fields = ("organization__name", "organization__slug")
    list_select_related = ("organization",)
    fields = ("organization", *quota_requests.LIMITS)
    readonly_fields = ("organization",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_permission(request)

    def change(self, request: HttpRequest, obj: Quota, form: Any) -> Quota:
        """Sets the limits that were changed."""
        limits = {name: form.cleaned_data[name] for name in form.changed_data}
        return quota_requests.set_quota(organization=obj.organization, actor=request.user, **limits)


class AnswerForm(forms.ModelForm):
    """Yes or no, and some words."""

    decision = forms.ChoiceField(
        choices=[("grant", "Grant it: these totals become the quota"), ("refuse", "Refuse it")]
    )

    class Meta:
        model = QuotaRequest
        fields = ("answer",)


@admin.register(QuotaRequest)
class QuotaRequestAdmin(OfOrganizations, ServiceAdmin):
    """What members ask for; answered here."""

    form = AnswerForm
    list_display = ("organization", "status", "asked_by", "cpu", "memory_megabytes", "disk_megabytes", "created_at")
    list_filter = ("status",)
    search_fields = ("organization__name", "asked_by__email", "reason")
    list_select_related = ("organization", "asked_by")
    _asked = (
        "organization",
        "asked_by",
        "reason",
        "cpu",
        "memory_megabytes",
        "disk_megabytes",
        "environments",
        "servers",
    )
    _answered = ("status", "answered_by", "answered_at")
    readonly_fields = (*_asked, *_answered)
    fields = (*_asked, "decision", "answer", *_answered)
    actions = ("grant", "refuse")

    def has_change_permission(self, request: HttpRequest, obj: QuotaRequest | None = None) -> bool:
        return self.has_manage_permission(request) and (obj is None or obj.status == QuotaRequest.Status.WAITING)

    def get_fields(self, request: HttpRequest, obj: QuotaRequest | None = None) -> tuple[str, ...]:
        """What was answered is only shown."""
        waits = obj is not None and self.has_change_permission(request, obj)
        return self.fields if waits else (*self._asked, "answer", *self._answered)

    def change(self, request: HttpRequest, obj: QuotaRequest, form: AnswerForm) -> QuotaRequest:
        """Answers."""
        granted = form.cleaned_data["decision"] == "grant"
        text = form.cleaned_data["answer"]
        return quota_requests.answer(request=obj, is_granted=granted, actor=request.user, text=text)

    @admin.action(description="Grant: the totals become the quota", permissions=["manage"])
    def grant(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._answer(request, queryset, is_granted=True)

    @admin.action(description="Refuse", permissions=["manage"])
    def refuse(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._answer(request, queryset, is_granted=False)

    def _answer(self, request: HttpRequest, queryset: QuerySet, *, is_granted: bool) -> None:
        for asked in queryset.select_related("organization"):
            try:
                quota_requests.answer(request=asked, is_granted=is_granted, actor=request.user)
            except Problem as problem:
                messages.error(request, f"{asked}: {text_of(problem)}")
            else:
                messages.success(request, f"{asked}: {'granted' if is_granted else 'refused'}.")


@admin.register(Invitation)
class InvitationAdmin(OfOrganizations, ReadOnlyAdmin):
    """Who was invited. Codes and links are for the organization's people alone."""

    list_display = ("organization", "email", "role", "state", "uses", "max_uses", "expires_at", "invited_by")
    list_filter = ("role",)
    search_fields = ("organization__name", "email")
    list_select_related = ("organization", "invited_by")
    exclude = ("code", "code_hash", "link_token", "link_hash")
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["manage"])
    def revoke(self, request: HttpRequest, queryset: QuerySet) -> None:
        for invitation in queryset:
            try:
                invitations.revoke(invitation=invitation, actor=request.user)
            except Problem as problem:
                messages.error(request, f"{invitation}: {text_of(problem)}")
            else:
                messages.success(request, f"{invitation}: revoked.")


@admin.register(InvitationUse)
class InvitationUseAdmin(OfOrganizations, ReadOnlyAdmin):
    """Who came in by which invitation."""

    list_display = ("invitation", "user", "created_at")
    list_select_related = ("invitation__organization", "user")


@admin.register(InvitationReader)
class InvitationReaderAdmin(OfOrganizations, ReadOnlyAdmin):
    """Who has seen the code of which invitation."""

    list_display = ("invitation", "user", "created_at")
    list_select_related = ("invitation__organization", "user")


@admin.register(UsageSample)
class UsageSampleAdmin(OfOrganizations, ReadOnlyAdmin):
    """What was allocated, hour by hour."""

    list_display = (
        "organization",
        "project_name",
        "taken_at",
        "cpu",
        "memory_megabytes",
        "disk_megabytes",
        "environments",
    )
    search_fields = ("organization__name", "project_name")
    list_select_related = ("organization",)
    date_hierarchy = "taken_at"
    show_full_result_count = False


@admin.register(FormerSlug)
class FormerSlugAdmin(OfOrganizations, ReadOnlyAdmin):
    """Short names whose addresses lead on."""

    list_display = ("slug", "organization", "created_at")
    search_fields = ("slug", "organization__name")
    list_select_related = ("organization",)


@admin.register(OrganizationLogo)
class OrganizationLogoAdmin(OfOrganizations, ReadOnlyAdmin):
    """Which organizations have a logo."""

    list_display = ("organization", "created_at", "updated_at")
    exclude = ("picture",)
    list_select_related = ("organization",)
