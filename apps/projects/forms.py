"""What people enter about projects, repositories and credentials."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.core.validators import (
    validate_git_reference,
    validate_image_reference,
    validate_plain_text,
    validate_slug,
)
from apps.orgs.models import Organization
from apps.platform.current import offered_versions
from apps.projects import validators
from apps.projects.models import GitCredential, Project, RegistryAccount, Repository
from apps.projects.registry import DEFAULT_HOSTS

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class _RepositoryFields(forms.Form):
    """An address, a branch, and what opens it."""

    url = forms.CharField(
        label="Repository",
        max_length=500,
        validators=[validators.validate_repository_url],
        help_text="https://host/path.git, or git@host:path.git with a deploy key.",
        widget=forms.TextInput(attrs=_CODE),
    )
    branch = forms.CharField(
        max_length=200,
        initial="main",
        validators=[validate_git_reference],
        widget=forms.TextInput(attrs=_CODE | {"list": "branches"}),
    )
    credential = forms.ModelChoiceField(
        GitCredential.objects.none(), required=False, empty_label="None: the repository is public"
    )
    token = forms.CharField(
        label="New access token",
        max_length=4096,
        required=False,
        help_text="Kept encrypted as a new credential of the organization, and never shown again.",
        widget=forms.PasswordInput(attrs=_CODE | {"autocomplete": "new-password"}),
    )
    username = forms.CharField(
        label="User name for the token",
        max_length=100,
        required=False,
        validators=[validators.validate_user_name],
        help_text="Most Git servers take any.",
        widget=forms.TextInput(attrs=_CODE),
    )

    def __init__(self, *arguments: Any, organization: Organization, **details: Any) -> None:
        super().__init__(*arguments, **details)
        self.organization = organization
        self.fields["credential"].queryset = GitCredential.objects.filter(organization=organization)

    def clean_token(self) -> str:
        token = self.cleaned_data["token"]
        if token:
            validators.validate_secret(token)
        return token

    def clean(self) -> dict[str, Any]:
        """The credential fits the address, and is given in one way."""
        data = super().clean()
        url, credential = data.get("url"), data.get("credential")
        if data.get("token") and credential:
            self.add_error("token", "Choose a credential, or enter a new token, not both.")
        elif url and credential:
            try:
                validators.validate_credential_fits(url, credential.kind, credential.host)
            except ValidationError as error:
                self.add_error(None, error)
        elif url and data.get("token") and validators.is_ssh_url(url):
            self.add_error("token", "An access token needs an address that starts with https://.")
        return data


class ProjectForm(_RepositoryFields):
    """A new project."""

    name = forms.CharField(max_length=80, validators=[validate_plain_text])
    slug = forms.CharField(
        label="Short name",
        max_length=40,
        required=False,
        validators=[validate_slug, validators.validate_project_slug],
        help_text="Part of the addresses of its environments. Left empty, it is made of the name. It stays.",
        widget=forms.TextInput(attrs=_CODE),
    )
    odoo_version = forms.ChoiceField(
        label="Odoo version", choices=offered_versions, initial=lambda: next(iter(dict(offered_versions())), None)
    )
    field_order = ("name", "odoo_version", "slug", "url", "branch", "credential", "token", "username")

    def __init__(self, *arguments: Any, **details: Any) -> None:
        super().__init__(*arguments, **details)
        self.fields["url"].required = False
        self.fields["url"].help_text += " Left empty, the project is plain Odoo."


class ProjectSettingsForm(forms.ModelForm):
    """What may change of a project."""

    install_modules = forms.CharField(
        label="Modules to install",
        required=False,
        help_text="Technical names, separated by spaces. Empty: every module of the primary repository; base: none.",
        widget=forms.Textarea(attrs=_CODE | {"rows": 2}),
    )
    image = forms.CharField(
        label="Docker image",
        max_length=300,
        required=False,
        validators=[validate_image_reference],
        help_text="Empty: the official image of the version. An image of your own keeps the official one's interface.",
        widget=forms.TextInput(attrs=_CODE | {"placeholder": "registry.example.com/team/odoo:19.0"}),
    )

    class Meta:
        model = Project
        fields = (
            "name",
            "description",
            "odoo_version",
            "default_branch",
            "install_modules",
            "image",
            "registry_account",
            "use_platform_repositories",
        )
        labels = {"use_platform_repositories": "Use the platform's repositories"}
        help_texts = {
            "use_platform_repositories": "Modules that the platform offers to everybody. They can be installed, and "
            "are not by themselves. Before you leave them out, uninstall what you use of them."
        }

    def __init__(self, *arguments: Any, **details: Any) -> None:
        super().__init__(*arguments, **details)
        accounts = RegistryAccount.objects.filter(organization=self.instance.organization_id)
        self.fields["registry_account"].queryset = accounts
        self.fields["odoo_version"].choices = offered_versions(besides=self.instance.odoo_version)
        self.initial["install_modules"] = " ".join(self.instance.install_modules)

    def clean_install_modules(self) -> list[str]:
        names = self.cleaned_data["install_modules"].replace(",", " ").split()
        validators.validate_module_names(names)
        return names


class RepositoryForm(_RepositoryFields):
    """A repository of a project."""

    kind = forms.ChoiceField(choices=Repository.Kind.choices, initial=Repository.Kind.MODULE)
    name = forms.CharField(
        max_length=80, required=False, validators=[validate_plain_text], help_text="Left empty, made of the address."
    )
    development_branch = forms.CharField(max_length=200, required=False, validators=[validate_git_reference])
    staging_branch = forms.CharField(max_length=200, required=False, validators=[validate_git_reference])
    production_branch = forms.CharField(max_length=200, required=False, validators=[validate_git_reference])
    priority = forms.IntegerField(
        min_value=0, max_value=9999, initial=100, help_text="Lower comes first in addons_path, within its kind."
    )
    subdirectory = forms.CharField(
        label="Folder",
        max_length=200,
        required=False,
        validators=[validators.validate_subdirectory],
        help_text="Where the modules lie inside the repository, if not at its top or in a folder below it.",
        widget=forms.TextInput(attrs=_CODE),
    )
    field_order = ("kind", "name", "url", "branch", "credential", "token", "username")

    @classmethod
    def initial_of(cls, repository: Repository) -> dict[str, Any]:
        """What the form shows of a stored repository."""
        names = ("kind", "name", "url", "branch", "credential", "priority", "subdirectory")
        branches = {f"{kind}_branch": branch for kind, branch in repository.branch_map.items()}
        return {name: getattr(repository, name) for name in names} | branches

    def values(self) -> dict[str, Any]:
        """What the services take."""
        data = self.cleaned_data
        branches = {kind: data[f"{kind}_branch"] for kind in validators.ENVIRONMENT_TYPES if data[f"{kind}_branch"]}
        names = ("name", "url", "branch", "credential", "priority", "subdirectory")
        return {name: data[name] for name in names} | {"branch_map": branches}


class TokenForm(forms.Form):
    """An access token."""

    name = forms.CharField(max_length=80, validators=[validate_plain_text])
    host = forms.CharField(
        label="Git server",
        max_length=255,
        validators=[validators.validate_host_and_port],
        help_text="The token is sent to this host only, for example github.com.",
        widget=forms.TextInput(attrs=_CODE),
    )
    username = forms.CharField(max_length=100, required=False, validators=[validators.validate_user_name])
    token = forms.CharField(
        max_length=4096,
        validators=[validators.validate_secret],
        widget=forms.PasswordInput(attrs=_CODE | {"autocomplete": "new-password"}),
    )

    def clean_host(self) -> str:
        return self.cleaned_data["host"].lower()


class DeployKeyForm(forms.Form):
    """A key pair that the platform makes."""

    name = forms.CharField(max_length=80, validators=[validate_plain_text])


class NewSecretForm(forms.Form):
    """A new token or password in the place of an old one."""

    secret = forms.CharField(
        label="New secret",
        max_length=4096,
        validators=[validators.validate_secret],
        widget=forms.PasswordInput(attrs=_CODE | {"autocomplete": "new-password"}),
    )


class RegistryAccountForm(forms.Form):
    """The sign-in for a registry."""

    name = forms.CharField(max_length=80, validators=[validate_plain_text])
    kind = forms.ChoiceField(label="Registry", choices=RegistryAccount.Kind.choices)
    host = forms.CharField(
        max_length=255,
        required=False,
        validators=[validators.validate_host_and_port],
        help_text="Left empty for Docker Hub, ghcr.io and registry.gitlab.com.",
        widget=forms.TextInput(attrs=_CODE),
    )
    username = forms.CharField(
        max_length=200,
        validators=[validate_plain_text],
        help_text="For Amazon ECR the access key's ID.",
        widget=forms.TextInput(attrs=_CODE),
    )
    password = forms.CharField(
        max_length=4096,
        validators=[validators.validate_secret],
        help_text="An access token, or for Amazon ECR the secret access key.",
        widget=forms.PasswordInput(attrs=_CODE | {"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Registries with one well-known host need not be typed."""
        data = super().clean()
        if not data.get("host"):
            known = DEFAULT_HOSTS.get(data.get("kind", ""))
            if known is None:
                self.add_error("host", "Enter the host name of the registry.")
            else:
                data["host"] = known
        return data
