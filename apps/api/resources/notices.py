"""What the key's person is told: the inbox, and what the person wants to be told of. A key reaches what is about its
organization (or its one project) alone, and of that only what it could read itself."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.schema import page_of
from apps.notifications import inbox, preferences
from apps.notifications.kinds import all_kinds
from apps.notifications.models import Channel, Notice
from apps.orgs.access import scope_of
from apps.orgs.querysets import get_visible_or_404
from apps.projects.models import Project

MOST_CHOICES = 200
LEVELS = ("info", "success", "warning", "error")


class NoticeSerializer(serializers.ModelSerializer):
    """A line in the person's inbox."""

    kind = serializers.CharField(source="event.kind", help_text="For example `deploy.failed`.")
    level = serializers.ChoiceField(LEVELS, source="event.level")
    title = serializers.CharField(source="event.title")
    project_id = serializers.UUIDField(source="event.project_id", allow_null=True)
    url = serializers.SerializerMethodField(help_text="Where the portal shows it; empty: nowhere.")
    happened_at = serializers.DateTimeField(source="event.happened_at")

    class Meta:
        model = Notice
        fields = ("id", "kind", "level", "title", "project_id", "url", "happened_at", "read_at")
        extra_kwargs = {"read_at": {"allow_null": True, "help_text": "null: not read."}}
        read_only_fields = fields

    def get_url(self, notice: Notice) -> str:
        return urljoin(settings.PORTAL_URL, notice.event.path) if notice.event.path else ""


class NoticeQuery(ListQuery):
    """Which notices."""

    unread = serializers.BooleanField(default=False, help_text="Only those that were not read.")


class UnreadSerializer(serializers.Serializer):
    """How many notices were not read."""

    unread = serializers.IntegerField(help_text=f"At most {inbox.MOST_COUNTED}: that many or more.")


class ChannelChoice(serializers.Serializer):
    """One channel."""

    channel = serializers.ChoiceField(Channel.choices)
    chosen = serializers.BooleanField(allow_null=True, help_text="null: nothing was chosen here.")
    inherited = serializers.BooleanField(help_text="What counts where nothing was chosen here.")


class PreferenceSerializer(serializers.Serializer):
    """One kind of event."""

    kind = serializers.CharField(source="kind.name")
    title = serializers.CharField(source="kind.title")
    group = serializers.CharField(source="kind.group")
    channels = ChannelChoice(source="choices", many=True)


class PreferencesSerializer(serializers.Serializer):
    """What the person wants to be told of, for the organization, or for one project."""

    project_id = serializers.UUIDField(allow_null=True, help_text="null: for the organization.")
    preferences = PreferenceSerializer(many=True)


class PreferencesQuery(serializers.Serializer):
    """For which project; without one, for the organization (or the key's one project)."""

    project_id = VisibleField(Project, required=False)


class NewChoice(Body):
    """One choice."""

    kind = serializers.CharField(max_length=60)
    channel = serializers.ChoiceField(Channel.choices)
    wanted = serializers.BooleanField(allow_null=True, help_text="null: as the wider choice says.")


class PreferencesBody(Body):
    """Choices; what is not named stays."""

    project_id = VisibleField(Project, required=False, allow_null=True)
    choices = NewChoice(many=True, allow_empty=False, max_length=MOST_CHOICES)


class _InboxView(ApiView):
    """What the addresses of the inbox have in common."""

    def notices(self) -> Any:
        """The person's own, about what the key reaches."""
        key = self.request.auth
        rows = Notice.objects.visible_to(self.request.user).filter(event__organization=key.organization)
        if key.project_id is not None:
            rows = rows.filter(event__project=key.project_id)
        return rows.exclude(event__kind__in=self._closed_kinds()).select_related("event")

    def _closed_kinds(self) -> list[str]:
        key, scope = self.request.auth, scope_of(self.request.user)
        place = key.organization_id, key.project_id
        return [kind.name for kind in all_kinds() if not scope.reduce({kind.permission}, *place)]


class NoticeListView(_InboxView):
    """The inbox, the newest first."""

    @extend_schema(parameters=[NoticeQuery], responses=page_of(NoticeSerializer))
    def get(self, request: Request) -> Response:
        query = self.read_query(NoticeQuery)
        rows = self.notices().order_by("-created_at", "-pk")
        return self.page(rows.filter(read_at=None) if query["unread"] else rows, NoticeSerializer, query)


class NoticeCountView(_InboxView):
    """How many are not read, for a lamp."""

    @extend_schema(responses=UnreadSerializer)
    def get(self, request: Request) -> Response:
        rows = self.notices().filter(read_at=None).order_by()
        return self.answer(UnreadSerializer, {"unread": rows[: inbox.MOST_COUNTED].count()})


class NoticesReadView(_InboxView):
    """All that the key reaches count as read."""

    @extend_schema(request=None, responses=UnreadSerializer)
    def post(self, request: Request) -> Response:
        inbox.mark_read(user=request.user, notices=self.notices().filter(read_at=None).values_list("pk", flat=True))
        return self.answer(UnreadSerializer, {"unread": 0})


class NoticeReadView(_InboxView):
    """One counts as read; harmless for one that does."""

    @extend_schema(request=None, responses=NoticeSerializer)
    def post(self, request: Request, notice_id: uuid.UUID) -> Response:
        found = get_visible_or_404(self.notices(), request.user, pk=notice_id)
        inbox.mark_read(user=request.user, notices=[found.pk])
        return self.answer(NoticeSerializer, self.notices().get(pk=notice_id))


class NoticeUnreadView(_InboxView):
    """One counts as not read again; harmless for one that was not."""

    @extend_schema(request=None, responses=NoticeSerializer)
    def post(self, request: Request, notice_id: uuid.UUID) -> Response:
        found = get_visible_or_404(self.notices(), request.user, pk=notice_id)
        inbox.mark_unread(user=request.user, notice=found.pk)
        return self.answer(NoticeSerializer, self.notices().get(pk=notice_id))


class PreferencesView(ApiView):
    """What the person wants to be told of. What they chose in general is changed in the portal alone."""

    @extend_schema(parameters=[PreferencesQuery], responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        return self._table(self.read_query(PreferencesQuery).get("project_id"))

    @extend_schema(request=PreferencesBody, responses=PreferencesSerializer)
    def patch(self, request: Request) -> Response:
        wanted = self.read_body(PreferencesBody)
        project = wanted.get("project_id") or request.auth.project
        choices = {(one["kind"], one["channel"]): one["wanted"] for one in wanted["choices"]}
        preferences.set_preferences(user=request.user, choices=choices, organization=self.organization, project=project)
        return self._table(project)

    def _table(self, project: Project | None) -> Response:
        project = project or self.request.auth.project
        rows = preferences.table(self.request.user, self.organization, project)
        facts = {"project_id": project.pk if project is not None else None, "preferences": rows}
        return self.answer(PreferencesSerializer, facts)


urlpatterns = [
    path("notices", NoticeListView.as_view(), name="notices"),
    path("notices/count", NoticeCountView.as_view(), name="notices_count"),
    path("notices/read", NoticesReadView.as_view(), name="notices_read"),
    path("notices/<uuid:notice_id>/read", NoticeReadView.as_view(), name="notice_read"),
    path("notices/<uuid:notice_id>/unread", NoticeUnreadView.as_view(), name="notice_unread"),
    path("notification-preferences", PreferencesView.as_view(), name="notification_preferences"),
]
