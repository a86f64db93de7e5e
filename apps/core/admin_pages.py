"""How the admin's pages act: by the services, and what a service refuses is said on the page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from apps.core.exceptions import Problem


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write; whoever may look may look."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceAdmin(ModelAdmin):
    """Saves and deletes by services. `create`, `change` and `remove` ask them; a kind of writing that is not there is
    not offered."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one row, or of a new one."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (Problem, ValidationError) as refusal:
            messages.error(request, text_of(refusal))
            return redirect(request.get_full_path())

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that asks before one row is deleted."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Problem as refusal:
            messages.error(request, text_of(refusal))
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The service makes or changes the row; the admin goes on with what it returns."""
        service = self.change if change else self.create
        obj.__dict__.update(service(request, obj, form).__dict__)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        """The admin's own action; a refusal for one row keeps no other from being deleted."""
        for obj in queryset:
            try:
                self.remove(request, obj)
            except Problem as refusal:
                messages.error(request, f"{obj}: {text_of(refusal)}")

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Model:
        """Makes the row that the form describes."""
        raise PermissionDenied

    def change(self, request: HttpRequest, obj: Any, form: Any) -> Model:
        """Changes what the form changed."""
        raise PermissionDenied

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Deletes the row."""
        raise PermissionDenied


def text_of(refusal: Problem | ValidationError) -> str:
    """What the page says."""
    if isinstance(refusal, Problem):
        return f"{refusal.title} {refusal.what_to_do}"
    return " ".join(refusal.messages)
