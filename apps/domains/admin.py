"""Names and certificates for platform staff. Secrets go in and never come out; actions call the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.audit import services as audit
from apps.core.exceptions import Problem
from apps.domains import certificates, issuing
from apps.domains.forms import DnsProviderForm
from apps.domains.models import (
    AcmeAccount,
    BaseDomain,
    Certificate,
    CertificateDelivery,
    CertificateOrder,
    DnsProvider,
    DnsRecord,
    Route,
)
from apps.domains.provider_checks import try_provider


class Superusers:
    """What acts, and what is the platform's own, is for portal admins; other staff look."""

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Asked for the actions."""
        return request.user.is_active and request.user.is_superuser


class ReadOnly(Superusers):
    """The services write here, nobody else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Audited(Superusers):
    """Leaves a trace of every change by hand."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._record(request, obj, "changed" if change else "added", {"fields": ", ".join(form.changed_data)})

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        self._record(request, obj, "deleted", {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def _record(self, request: HttpRequest, obj: models.Model, what: str, after: dict[str, str]) -> None:
        audit.record(
            action=f"{obj._meta.model_name}.{what}",
            actor=request.user,
            organization_id=obj.organization_id,
            target=obj,
            after=after,
        )


def _tell(request: HttpRequest, problem: Problem) -> None:
    messages.error(request, f"{problem.title} {problem.what_to_do}")


@admin.register(DnsProvider)
class DnsProviderAdmin(Audited, ModelAdmin):
    form = DnsProviderForm
    list_display = ("name", "kind", "organization", "tested_at", "test_error")
    list_filter = ("kind",)
    search_fields = ("name", "organization__name")
    list_select_related = ("organization",)
    autocomplete_fields = ("organization",)
    readonly_fields = ("tested_at", "test_error")
    actions = ("test_selected",)

    @admin.action(description="Test: write a record, and remove it", permissions=["act"])
    def test_selected(self, request: HttpRequest, queryset: QuerySet[DnsProvider]) -> None:
        for provider in queryset:
            try:
                messages.success(request, f"{provider}: {try_provider(provider)}")
            except Problem as problem:
                _tell(request, problem)


@admin.register(BaseDomain)
class BaseDomainAdmin(Audited, ModelAdmin):
    list_display = ("name", "dns_provider", "is_default", "wildcard_certificate", "organization")
    search_fields = ("name",)
    list_select_related = ("dns_provider", "wildcard_certificate", "organization")
    autocomplete_fields = ("organization", "dns_provider")
    readonly_fields = ("wildcard_certificate",)
    actions = ("issue_selected",)

    def save_model(self, request: HttpRequest, obj: BaseDomain, form: Any, change: bool) -> None:
        """A base domain that can have its shared certificate gets it without being asked."""
        super().save_model(request, obj, form, change)
        if certificates.has_wildcard(obj) and not certificates.wildcard_row(obj).is_usable:
            issuing.issue_wildcard(obj, user=request.user)

    @admin.action(description="Issue wildcard certificate", permissions=["act"])
    def issue_selected(self, request: HttpRequest, queryset: QuerySet[BaseDomain]) -> None:
        for base_domain in queryset.select_related("dns_provider"):
            try:
                operation = issuing.issue_wildcard(base_domain, user=request.user)
            except Problem as problem:
                _tell(request, problem)
                continue
            under_way = "is queued" if operation else "was under way already"
            messages.success(request, f"The certificate for {base_domain} {under_way}.")


@admin.register(Certificate)
class CertificateAdmin(ReadOnly, ModelAdmin):
    list_display = ("__str__", "status", "challenge", "not_after", "renew_at", "is_wanted", "organization")
    list_filter = ("status", "challenge", "is_wanted")
    search_fields = ("names", "=id", "fingerprint", "organization__name")
    list_select_related = ("organization",)
    exclude = ("private_key",)
    actions = ("order_again",)

    @admin.action(description="Order anew now", permissions=["act"])
    def order_again(self, request: HttpRequest, queryset: QuerySet[Certificate]) -> None:
        for certificate in queryset:
            operation = issuing.queue_issue(certificate, user=request.user, anew=True)
            under_way = "is queued" if operation else "was under way already"
            messages.success(request, f"The certificate for {certificate} {under_way}.")


@admin.register(CertificateOrder)
class CertificateOrderAdmin(ReadOnly, ModelAdmin):
    list_display = ("started_at", "__str__", "outcome", "challenge", "directory_url", "error")
    list_filter = ("outcome", "challenge", "directory_url")
    search_fields = ("names", "registered_domains", "error")
    date_hierarchy = "started_at"


@admin.register(AcmeAccount)
class AcmeAccountAdmin(ReadOnly, ModelAdmin):
    list_display = ("directory_url", "contact", "address")
    exclude = ("private_key",)


@admin.register(DnsRecord)
class DnsRecordAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "record_type", "value", "provider", "environment", "written_at")
    search_fields = ("name", "value")
    list_select_related = ("provider", "environment")


@admin.register(CertificateDelivery)
class CertificateDeliveryAdmin(ReadOnly, ModelAdmin):
    list_display = ("certificate", "server", "delivered_at", "tried_at", "error")
    list_select_related = ("certificate", "server")


@admin.register(Route)
class RouteAdmin(ReadOnly, ModelAdmin):
    list_display = ("host_name", "environment", "server", "certificate", "applied_at", "error")
    search_fields = ("host_name",)
    list_select_related = ("environment", "server", "certificate")
