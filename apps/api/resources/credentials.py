"""What opens Git servers, registries and machines. Secrets are written here, and never read."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.schema import page_of
from apps.projects import credentials
from apps.projects.models import GitCredential, RegistryAccount
from apps.servers import keys, services
from apps.servers.models import SSHKey

LIST_GIT, MANAGE_GIT = "org.git.list", "org.git.manage"


class GitCredentialSerializer(serializers.ModelSerializer):
    """An access token or a deploy key, without its secret."""

    class Meta:
        model = GitCredential
        fields = ("id", "name", "kind", "host", "username", "public_key", "created_at", "updated_at")
        read_only_fields = fields


class NewGitCredential(Body):
    """A token for one Git server, or a deploy key that the platform makes."""

    kind = serializers.ChoiceField(GitCredential.Kind.choices)
    name = serializers.CharField(max_length=80)
    host = serializers.CharField(max_length=255, required=False, help_text="Of a token: the only host it is sent to.")
    username = serializers.CharField(max_length=100, allow_blank=True, required=False)
    token = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True, required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """A token needs its host; a deploy key has nothing but a name."""
        wanted = {"host", "token"} if data["kind"] == GitCredential.Kind.TOKEN else set()
        missing = {name: ["A token needs it."] for name in wanted - data.keys()}
        if missing:
            raise serializers.ValidationError(missing)
        return data


class RegistryAccountSerializer(serializers.ModelSerializer):
    """The sign-in for a container registry, without its password."""

    class Meta:
        model = RegistryAccount
        fields = ("id", "name", "kind", "host", "username", "created_at", "updated_at")
        read_only_fields = fields


class NewRegistryAccount(Body):
    """A sign-in to be stored."""

    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(RegistryAccount.Kind.choices)
    host = serializers.CharField(max_length=255)
    username = serializers.CharField(max_length=200)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class SSHKeySerializer(serializers.ModelSerializer):
    """A key pair that opens servers; its public half."""

    class Meta:
        model = SSHKey
        fields = ("id", "name", "public_key", "fingerprint", "generated", "created_at", "updated_at")
        read_only_fields = fields


class NewSSHKey(Body):
    """A key pair that the platform makes, or a private key that is pasted."""

    name = serializers.CharField(max_length=100)
    private_key = serializers.CharField(
        max_length=keys.LONGEST_TEXT, trim_whitespace=False, write_only=True, required=False
    )
    passphrase = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True, required=False)


class _ListView(ApiView):
    model: type[models.Model]
    row: type[serializers.Serializer]
    list_code = LIST_GIT

    def listed(self, request: Request) -> Response:
        """A page of the organization's."""
        self.require(self.list_code)
        rows = self.model._default_manager.visible_to(request.user).order_by("name", "pk")
        return self.page(rows, self.row, self.read_query(ListQuery))


class GitCredentialListView(_ListView):
    """The organization's Git credentials."""

    model, row = GitCredential, GitCredentialSerializer

    @extend_schema(parameters=[ListQuery], responses=page_of(GitCredentialSerializer))
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @extend_schema(request=NewGitCredential, responses={201: GitCredentialSerializer})
    def post(self, request: Request) -> Response:
        self.require(MANAGE_GIT)
        wanted = self.read_body(NewGitCredential)
        who = {"organization": self.organization, "actor": request.user}
        if wanted.pop("kind") == GitCredential.Kind.TOKEN:
            made = credentials.add_token(**who, **wanted)
        else:
            made = credentials.generate_deploy_key(**who, name=wanted["name"])
        return self.answer(GitCredentialSerializer, made, status=201)


class GitCredentialView(ApiView):
    """One Git credential."""

    @extend_schema(responses=GitCredentialSerializer)
    def get(self, request: Request, credential_id: uuid.UUID) -> Response:
        return self.answer(GitCredentialSerializer, self.find(GitCredential, LIST_GIT, pk=credential_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, credential_id: uuid.UUID) -> Response:
        found = self.find(GitCredential, MANAGE_GIT, pk=credential_id)
        credentials.remove_credential(credential=found, actor=request.user)
        return Response(status=204)


class RegistryAccountListView(_ListView):
    """The organization's registry accounts."""

    model, row = RegistryAccount, RegistryAccountSerializer

    @extend_schema(parameters=[ListQuery], responses=page_of(RegistryAccountSerializer))
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @extend_schema(request=NewRegistryAccount, responses={201: RegistryAccountSerializer})
    def post(self, request: Request) -> Response:
        self.require(MANAGE_GIT)
        made = credentials.add_registry_account(
            organization=self.organization, actor=request.user, **self.read_body(NewRegistryAccount)
        )
        return self.answer(RegistryAccountSerializer, made, status=201)


class RegistryAccountView(ApiView):
    """One registry account."""

    @extend_schema(responses=RegistryAccountSerializer)
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        return self.answer(RegistryAccountSerializer, self.find(RegistryAccount, LIST_GIT, pk=account_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, account_id: uuid.UUID) -> Response:
        found = self.find(RegistryAccount, MANAGE_GIT, pk=account_id)
        credentials.remove_registry_account(account=found, actor=request.user)
        return Response(status=204)


class SSHKeyListView(_ListView):
    """The organization's SSH keys."""

    model, row, list_code = SSHKey, SSHKeySerializer, "org.servers.list"

    @extend_schema(parameters=[ListQuery], responses=page_of(SSHKeySerializer))
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @extend_schema(request=NewSSHKey, responses={201: SSHKeySerializer})
    def post(self, request: Request) -> Response:
        self.require("org.servers.create")
        wanted = self.read_body(NewSSHKey)
        make = services.import_key if "private_key" in wanted else services.generate_key
        wanted = wanted if "private_key" in wanted else {"name": wanted["name"]}
        made = make(organization=self.organization, actor=request.user, **wanted)
        return self.answer(SSHKeySerializer, made, status=201)


class SSHKeyView(ApiView):
    """One SSH key."""

    @extend_schema(responses=SSHKeySerializer)
    def get(self, request: Request, key_id: uuid.UUID) -> Response:
        return self.answer(SSHKeySerializer, self.find(SSHKey, "org.servers.list", pk=key_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key_id: uuid.UUID) -> Response:
        found = self.find(SSHKey.objects.select_related("organization"), "org.servers.delete", pk=key_id)
        services.remove_key(key=found, actor=request.user)
        return Response(status=204)


urlpatterns = [
    path("git-credentials", GitCredentialListView.as_view(), name="git_credentials"),
    path("git-credentials/<uuid:credential_id>", GitCredentialView.as_view(), name="git_credential"),
    path("registry-accounts", RegistryAccountListView.as_view(), name="registry_accounts"),
    path("registry-accounts/<uuid:account_id>", RegistryAccountView.as_view(), name="registry_account"),
    path("ssh-keys", SSHKeyListView.as_view(), name="ssh_keys"),
    path("ssh-keys/<uuid:key_id>", SSHKeyView.as_view(), name="ssh_key"),
]
