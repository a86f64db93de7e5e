"""Servers: added, confirmed, prepared, looked at, removed."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, StartedTask, VisibleField, accepted
from apps.api.schema import page_of
from apps.core.exceptions import Problem
from apps.servers import keys, services
from apps.servers.models import Server, SSHKey

UPDATE = "org.servers.update"


class ServerSerializer(serializers.ModelSerializer):
    """A machine that environments run on."""

    organization_id = serializers.UUIDField()
    ssh_key_id = serializers.UUIDField()
    public_key = serializers.CharField(source="ssh_key.public_key", help_text="To be authorized on the server.")
    cpu_overcommit = serializers.FloatField()
    facts = serializers.DictField(child=serializers.JSONField(), help_text="What was last seen there.")

    class Meta:
        model = Server
        fields = (
            "id",
            "organization_id",
            "name",
            "slug",
            "address",
            "port",
            "user",
            "ssh_key_id",
            "public_key",
            "host_key_fingerprint",
            "status",
            "status_reason",
            "facts",
            "cpu_overcommit",
            "http_port",
            "https_port",
            "public_address",
            "network_range",
            "bootstrapped_at",
            "last_seen_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ServerSettings(Body):
    """What a person chooses of a server."""

    name = serializers.CharField(max_length=100, required=False)
    address = serializers.CharField(max_length=253, required=False)
    port = serializers.IntegerField(min_value=1, max_value=65535, required=False)
    user = serializers.CharField(max_length=32, required=False)
    ssh_key_id = VisibleField(SSHKey, required=False)
    cpu_overcommit = serializers.DecimalField(
        4, 2, min_value=Decimal(1), max_value=Decimal(16), coerce_to_string=False, required=False
    )
    http_port = serializers.IntegerField(min_value=1, max_value=65535, required=False)
    https_port = serializers.IntegerField(min_value=1, max_value=65535, required=False)
    public_address = serializers.CharField(max_length=253, allow_blank=True, required=False)
    network_range = serializers.CharField(max_length=43, required=False)


class NewServer(ServerSettings):
    """A server to be added. Without a key of the organization and without a pasted one, a key pair is made for it."""

    name = serializers.CharField(max_length=100)
    address = serializers.CharField(max_length=253)
    private_key = serializers.CharField(
        max_length=keys.LONGEST_TEXT, trim_whitespace=False, write_only=True, required=False
    )
    passphrase = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True, required=False)


class HostKeySerializer(serializers.Serializer):
    """The host key that the server shows now, beside the pinned one."""

    host_key = serializers.CharField()
    fingerprint = serializers.CharField()
    pinned_fingerprint = serializers.CharField(allow_blank=True)


class HostKeyBody(Body):
    """The key that a person has compared, as `type base64`."""

    host_key = serializers.CharField(max_length=10_000)


class RemoveBody(Body):
    """A removal is confirmed by the server's name."""

    confirmation = serializers.CharField(max_length=100, trim_whitespace=False)
    only_forget = serializers.BooleanField(default=False, help_text="Change nothing on the machine.")


class ServerListView(ApiView):
    """The organization's servers."""

    @extend_schema(parameters=[ListQuery], responses=page_of(ServerSerializer))
    def get(self, request: Request) -> Response:
        self.require("org.servers.list")
        rows = Server.objects.visible_to(request.user).select_related("ssh_key").order_by("name", "pk")
        rows = rows.defer("ssh_key__private_key", "ssh_key__passphrase")
        return self.page(rows, ServerSerializer, self.read_query(ListQuery))

    @extend_schema(request=NewServer, responses={201: ServerSerializer})
    def post(self, request: Request) -> Response:
        self.require("org.servers.create")
        wanted = self.read_body(NewServer)
        made = services.add_server(
            organization=self.organization, actor=request.user, ssh_key=wanted.pop("ssh_key_id", None), **wanted
        )
        return self.answer(ServerSerializer, made, status=201)


class ServerView(ApiView):
    """One server."""

    @extend_schema(responses=ServerSerializer)
    def get(self, request: Request, server_id: uuid.UUID) -> Response:
        found = self.find(Server.objects.select_related("ssh_key"), "org.servers.list", pk=server_id)
        return self.answer(ServerSerializer, found)

    @extend_schema(request=ServerSettings, responses=ServerSerializer)
    def patch(self, request: Request, server_id: uuid.UUID) -> Response:
        """Another address or port has another host key, which must be confirmed."""
        found = self.find(Server.objects.select_related("ssh_key"), UPDATE, pk=server_id)
        changes = self.read_body(ServerSettings, partial=True)
        ssh_key = changes.pop("ssh_key_id", None)
        changed = services.update_server(server=found, actor=request.user, ssh_key=ssh_key, **changes)
        return self.answer(ServerSerializer, changed)


class ServerCheckView(ApiView):
    """Looks at the server now, and sets its status and facts to the truth."""

    @extend_schema(request=None, responses=ServerSerializer)
    def post(self, request: Request, server_id: uuid.UUID) -> Response:
        found = self.find(Server.objects.select_related("ssh_key"), UPDATE, pk=server_id)
        return self.answer(ServerSerializer, services.sync(found))


class ServerHostKeyView(ApiView):
    """The host key: read from the server, and pinned."""

    @extend_schema(responses=HostKeySerializer)
    def get(self, request: Request, server_id: uuid.UUID) -> Response:
        found = self.find(Server, UPDATE, pk=server_id)
        shown = services.scan_host_key(found.address, found.port)
        facts = {"host_key": shown, "fingerprint": keys.fingerprint(shown)}
        return self.answer(HostKeySerializer, facts | {"pinned_fingerprint": found.host_key_fingerprint})

    @extend_schema(request=HostKeyBody, responses=ServerSerializer)
    def put(self, request: Request, server_id: uuid.UUID) -> Response:
        """Confirms it. It must be the one that the server shows at this moment."""
        found = self.find(Server.objects.select_related("ssh_key"), UPDATE, pk=server_id)
        host_key = self.read_body(HostKeyBody)["host_key"]
        try:
            keys.fingerprint(host_key)
        except (ValueError, IndexError) as error:
            raise serializers.ValidationError({"host_key": ["This is no host key."]}) from error
        return self.answer(
            ServerSerializer, services.confirm_host_key(server=found, host_key=host_key, actor=request.user)
        )


class ServerBootstrapView(ApiView):
    """Prepares the server: packages, Docker, proxy."""

    @extend_schema(request=None, responses={202: StartedTask})
    def post(self, request: Request, server_id: uuid.UUID) -> Response:
        found = self.find(Server, UPDATE, pk=server_id)
        return accepted(services.bootstrap(server=found, actor=request.user, trigger="api"))


class ServerRemoveView(ApiView):
    """Takes the platform off the server. Refused while environments are placed on it."""

    @extend_schema(request=RemoveBody, responses={202: StartedTask})
    def post(self, request: Request, server_id: uuid.UUID) -> Response:
        found = self.find(Server, "org.servers.delete", pk=server_id)
        wanted = self.read_body(RemoveBody)
        if wanted["confirmation"] != found.name:
            raise Problem("servers.name_mismatch", name=found.name)
        operation = services.remove_server(server=found, actor=request.user, only_forget=wanted["only_forget"])
        return accepted(operation)


_SERVER = "servers/<uuid:server_id>"
urlpatterns = [
    path("servers", ServerListView.as_view(), name="servers"),
    path(_SERVER, ServerView.as_view(), name="server"),
    path(f"{_SERVER}/check", ServerCheckView.as_view(), name="server_check"),
    path(f"{_SERVER}/host-key", ServerHostKeyView.as_view(), name="server_host_key"),
    path(f"{_SERVER}/bootstrap", ServerBootstrapView.as_view(), name="server_bootstrap"),
    path(f"{_SERVER}/remove", ServerRemoveView.as_view(), name="server_remove"),
]
