"""Invitations: ways into the organization, by a mail or by a code that is handed on."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from django.db import transaction
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.schema import page_of
from apps.api.task_access import visible_project_ids
from apps.orgs import invitations, readers
from apps.orgs.invitation_mails import join_url, send_invitation
from apps.orgs.models import Invitation
from apps.orgs.models.invitations import MOST_USES
from apps.orgs.roles import Role
from apps.projects.models import Project

MANAGE = "org.members.manage"
MOST_PROJECTS = 100
_TEXT_OR_NULL = {"type": ["string", "null"]}


class InvitationSerializer(serializers.ModelSerializer):
    """An invitation. Whoever has its code or its link may join: they are shown to those alone who may give all that it
    gives, and as long as it lets somebody in."""

    email = serializers.SerializerMethodField(help_text="null: for whoever has the code.")
    state = serializers.ChoiceField(Invitation.State.choices)
    project_ids = serializers.SerializerMethodField(help_text="What it is restricted to, as far as the key sees it.")
    invited_by = serializers.EmailField(source="invited_by.email", allow_null=True, default=None)
    code = serializers.SerializerMethodField()
    link = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = (
            "id",
            "email",
            "role",
            "message",
            "project_ids",
            "state",
            "uses",
            "max_uses",
            "invited_by",
            "created_at",
            "expires_at",
            "mailed_at",
            "code",
            "link",
        )
        extra_kwargs = {
            "mailed_at": {"allow_null": True, "help_text": "When the mail server took the newest mail; null: not yet."}
        }
        read_only_fields = fields

    @extend_schema_field(_TEXT_OR_NULL | {"format": "email"})
    def get_email(self, invitation: Invitation) -> str | None:
        return invitation.email or None

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_project_ids(self, invitation: Invitation) -> list[str]:
        seen = set(visible_project_ids(self._person, invitation.organization))
        return [str(key) for key in invitation.project_ids if key in seen]

    @extend_schema_field(_TEXT_OR_NULL)
    def get_code(self, invitation: Invitation) -> str | None:
        return invitation.code if self._may_see(invitation) else None

    @extend_schema_field(_TEXT_OR_NULL)
    def get_link(self, invitation: Invitation) -> str | None:
        return join_url(invitation) if self._may_see(invitation) else None

    def _may_see(self, invitation: Invitation) -> bool:
        return readers.may_see(self._person, invitation)

    @property
    def _person(self) -> Any:
        return self.context["request"].user


class NewInvitation(Body):
    """By mail when there is an address; a code and a link to hand on when there is none. Nobody becomes Owner."""

    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    role = serializers.ChoiceField(Role.choices, default=Role.DEVELOPER)
    days = serializers.IntegerField(
        min_value=invitations.SHORTEST_DAYS, max_value=invitations.LONGEST_DAYS, default=7, help_text="How long."
    )
    max_uses = serializers.IntegerField(
        min_value=1, max_value=MOST_USES, default=1, help_text="For how many people; by mail: one."
    )
    project_ids = serializers.ListField(
        child=VisibleField(Project),
        max_length=MOST_PROJECTS,
        required=False,
        help_text="Where a Developer works at once, besides the projects of their teams.",
    )
    message = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class RenewedInvitation(Body):
    """For how many days from now; never shorter than it was."""

    days = serializers.IntegerField(min_value=invitations.SHORTEST_DAYS, max_value=invitations.LONGEST_DAYS, default=7)


class ForgottenInvitations(serializers.Serializer):
    """How many were forgotten."""

    forgotten = serializers.IntegerField()


class _InvitationsView(ApiView):
    """What the addresses have in common."""

    @staticmethod
    def rows() -> Any:
        return Invitation.objects.select_related("organization", "invited_by")

    def one(self, key: uuid.UUID, status: int = 200) -> Response:
        """One invitation; who is shown its code is noted."""
        return self._noted(self.answer(InvitationSerializer, self.rows().get(pk=key), status=status))

    def told(self, invitation: Invitation, status: int = 200) -> Response:
        """Sends the mail once the invitation is committed (with an Idempotency-Key that is behind this answer)."""
        if invitation.email:
            transaction.on_commit(functools.partial(send_invitation, invitation, self.request.user))
        return self.one(invitation.pk, status)

    def page(self, *arguments: Any) -> Response:
        """One page of them; who is shown their codes is noted."""
        return self._noted(super().page(*arguments))

    def _noted(self, answer: Response) -> Response:
        shown = [row["id"] for row in answer.data.get("results", [answer.data]) if row["code"]]
        readers.note(self.rows().filter(pk__in=shown), self.request.user)
        return answer


class InvitationListView(_InvitationsView):
    """All invitations, the newest first; those that are over too."""

    @extend_schema(parameters=[ListQuery], responses=page_of(InvitationSerializer))
    def get(self, request: Request) -> Response:
        self.require(MANAGE)
        readers.settle(self.organization.pk)
        rows = self.rows().visible_to(request.user).order_by("-created_at", "-pk")
        return self.page(rows, InvitationSerializer, self.read_query(ListQuery))

    @extend_schema(request=NewInvitation, responses={201: InvitationSerializer})
    def post(self, request: Request) -> Response:
        """Invites. Where the mail cannot be sent the invitation stands, `mailed_at` stays null."""
        self.require(MANAGE)
        wanted = self.read_body(NewInvitation)
        projects = dict.fromkeys(wanted.pop("project_ids", []))
        made = invitations.invite(organization=self.organization, actor=request.user, projects=projects, **wanted)
        return self.told(made, status=201)


class InvitationView(_InvitationsView):
    """One invitation."""

    @extend_schema(responses=InvitationSerializer)
    def get(self, request: Request, invitation_id: uuid.UUID) -> Response:
        found = self.find(self.rows(), MANAGE, pk=invitation_id)
        readers.settle(found.organization_id, invitation_id=found.pk)
        return self.one(found.pk)


class InvitationResendView(_InvitationsView):
    """Makes an open or expired one valid for longer, and sends its mail again. Code and link stay,
    unless somebody who saw them may not invite any more."""

    @extend_schema(request=RenewedInvitation, responses=InvitationSerializer)
    def post(self, request: Request, invitation_id: uuid.UUID) -> Response:
        found = self.find(self.rows(), MANAGE, pk=invitation_id)
        days = self.read_body(RenewedInvitation)["days"]
        readers.settle(found.organization_id, invitation_id=found.pk)
        return self.told(invitations.renew(invitation=found, actor=request.user, days=days))


class InvitationRevokeView(_InvitationsView):
    """From now on it lets nobody in."""

    @extend_schema(request=None, responses=InvitationSerializer)
    def post(self, request: Request, invitation_id: uuid.UUID) -> Response:
        found = self.find(self.rows(), MANAGE, pk=invitation_id)
        revoked = invitations.revoke(invitation=found, actor=request.user)
        return self.one(revoked.pk)


class InvitationCleanUpView(ApiView):
    """Forgets the invitations that let nobody in any more."""

    @extend_schema(request=None, responses=ForgottenInvitations)
    def post(self, request: Request) -> Response:
        self.require(MANAGE)
        count = invitations.clean_up(organization=self.organization, actor=request.user)
        return self.answer(ForgottenInvitations, {"forgotten": count})


_INVITATION = "invitations/<uuid:invitation_id>"
urlpatterns = [
    path("invitations", InvitationListView.as_view(), name="invitations"),
    path("invitations/clean-up", InvitationCleanUpView.as_view(), name="invitations_clean_up"),
    path(_INVITATION, InvitationView.as_view(), name="invitation"),
    path(f"{_INVITATION}/resend", InvitationResendView.as_view(), name="invitation_resend"),
    path(f"{_INVITATION}/revoke", InvitationRevokeView.as_view(), name="invitation_revoke"),
]
