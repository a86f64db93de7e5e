"""Projects, repositories and credentials for platform staff. Secrets can be written, and are never shown; what is saved
and every action go through the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core.exceptions import Problem
from apps.projects import credentials, git, registry, services
from apps.projects.models import GitCredential, Project, RegistryAccount, Repository
from apps.projects.validators import validate_secret

_SECRET = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class _SecretForm(forms.ModelForm):
    """A new secret takes the place of the stored one; left empty, the stored one stays."""

    secret_field = ""
    new_secret = forms.CharField(
        required=False, widget=_SECRET, help_text="Left empty, the stored one stays. It is never shown."
    )

    def clean_new_secret(self) -> str:
        secret = self.cleaned_data["new_secret"]
        if secret:
            validate_secret(secret)
        return secret

    def clean(self) -> dict[str, Any]:
        """Something that is made here needs its secret."""
        data = super().clean()
        secret = data.get("new_secret")
        if secret:
            setattr(self.instance, self.secret_field, secret)
        elif not getattr(self.instance, self.secret_field) and "new_secret" not in self.errors:
            self.add_error("new_secret", "Enter the secret.")
        return data


class GitCredentialForm(_SecretForm):
    """Tokens only: deploy keys are generated in the portal."""

    secret_field = "token"  # noqa: S105

    class Meta:
        model = GitCredential
        fields = ("organization", "name", "host", "username")

    def clean(self) -> dict[str, Any]:
        if self.instance._state.adding:
            self.instance.kind = GitCredential.Kind.TOKEN
        if self.instance.kind == GitCredential.Kind.SSH_KEY:
            if self.cleaned_data.get("new_secret"):
                self.add_error("new_secret", "A deploy key has no token.")
            return forms.ModelForm.clean(self)
        return super().clean()


class RegistryAccountForm(_SecretForm):
    secret_field = "password"  # noqa: S105

    class Meta:
        model = RegistryAccount
        fields = ("organization", "name", "kind", "host", "username")


@admin.register(GitCredential)
class GitCredentialAdmin(ModelAdmin):
    form = GitCredentialForm
    fields = ("organization", "name", "kind", "host", "username", "new_secret", "public_key", "known_host")
    readonly_fields = ("kind", "public_key", "known_host")
    list_display = ("name", "organization", "kind", "host", "created_at")
    list_filter = ("kind",)
    search_fields = ("name", "host", "organization__name")
    autocomplete_fields = ("organization",)
    list_select_related = ("organization",)
    actions = ("forget_host_keys",)

    @admin.action(description="Forget the pinned host keys")
    def forget_host_keys(self, request: HttpRequest, queryset: QuerySet[GitCredential]) -> None:
        for credential in queryset:
            credentials.forget_host_key(credential=credential, actor=request.user)
        messages.success(request, "The next connection pins what it meets.")


@admin.register(RegistryAccount)
class RegistryAccountAdmin(ModelAdmin):
    form = RegistryAccountForm
    fields = ("organization", "name", "kind", "host", "username", "new_secret")
    list_display = ("name", "organization", "kind", "host", "username")
    list_filter = ("kind",)
    search_fields = ("name", "host", "username", "organization__name")
    autocomplete_fields = ("organization",)
    list_select_related = ("organization",)
    actions = ("sign_in",)

    @admin.action(description="Sign in at the registry")
    def sign_in(self, request: HttpRequest, queryset: QuerySet[RegistryAccount]) -> None:
        for account in queryset:
            _tell(request, account, lambda account=account: registry.check_login(account), "the registry let us in")


@admin.register(Project)
class ProjectAdmin(ModelAdmin):
    fields = (
        "organization",
        "name",
        "slug",
        "description",
        "odoo_version",
        "image",
        "registry_account",
        "default_branch",
        "install_modules",
        "use_platform_repositories",
    )
    list_display = ("name", "organization", "odoo_version", "default_branch", "created_at")
    list_filter = ("odoo_version", "use_platform_repositories")
    search_fields = ("name", "slug", "organization__name")
    autocomplete_fields = ("organization", "registry_account")
    list_select_related = ("organization",)

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> tuple[str, ...]:
        """Whose it is and what its addresses say stays."""
        return ("organization", "slug") if obj else ()

    def save_model(self, request: HttpRequest, obj: Project, form: forms.ModelForm, change: bool) -> None:
        data = {name: value for name, value in form.cleaned_data.items() if name in self.fields}
        try:
            if change:
                services.update_project(project=obj, actor=request.user, **data)
            else:
                made = services.create_project(actor=request.user, branch=data.pop("default_branch"), **data)
                obj.pk, obj._state.adding = made.pk, False
        except Problem as problem:
            messages.error(request, f"Not saved. {problem.title} {problem.what_to_do}")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A project is deleted on its own page, which asks for its name."""
        return False


@admin.register(Repository)
class RepositoryAdmin(ModelAdmin):
    fields = (
        "project",
        "kind",
        "name",
        "slug",
        "url",
        "branch",
        "branch_map",
        "credential",
        "priority",
        "subdirectory",
        "last_fetched_at",
    )
    readonly_fields = ("project", "kind", "slug", "last_fetched_at")
    list_display = ("name", "project", "kind", "url", "branch", "last_fetched_at")
    list_filter = ("kind",)
    search_fields = ("name", "url", "project__name", "project__organization__name")
    autocomplete_fields = ("credential",)
    list_select_related = ("project",)
    actions = ("list_branches",)

    def save_model(self, request: HttpRequest, obj: Repository, form: forms.ModelForm, change: bool) -> None:
        services.update_repository(repository=obj, actor=request.user, **form.cleaned_data)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Repositories are added in the portal, within their project."""
        return False

    def delete_model(self, request: HttpRequest, obj: Repository) -> None:
        services.remove_repository(repository=obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Repository]) -> None:
        for repository in queryset:
            services.remove_repository(repository=repository, actor=request.user)

    @admin.action(description="Ask the Git servers for the branches")
    def list_branches(self, request: HttpRequest, queryset: QuerySet[Repository]) -> None:
        for repository in queryset.select_related("credential"):
            _tell(request, repository, lambda one=repository: git.list_branches(one), "it can be read")


def _tell(request: HttpRequest, thing: Any, act: Any, good: str) -> None:
    try:
        act()
    except Problem as problem:
        messages.error(request, f"{thing}: {problem.title} {problem.what_to_do}")
    else:
        messages.success(request, f"{thing}: {good}.")
