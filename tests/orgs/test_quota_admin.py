"""Platform staff set quotas and answer requests in the admin."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from apps.orgs import invitations, quota_requests
from apps.orgs.models import Quota, QuotaRequest
from tests.cast import make_person

MODELS = ("quota", "quotarequest", "invitation", "invitationuse", "usagesample", "formerslug", "organizationlogo")


@pytest.fixture
def asked(cast) -> QuotaRequest:
    return quota_requests.ask(organization=cast.acme, actor=cast.bob, reason="More", cpu=Decimal(8))


def quota(cast) -> Quota:
    return Quota.objects.get(organization=cast.acme)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_row_can_be_looked_at(cast, sign_in, asked, model):
    invitations.invite(organization=cast.acme, role="viewer", actor=cast.alice)
    sam = sign_in(cast.sam)
    assert sam.get(reverse(f"admin:orgs_{model}_changelist")).status_code == 200
    assert sign_in(cast.alice).get(reverse(f"admin:orgs_{model}_changelist")).status_code == 302


def test_staff_set_a_quota(cast, sign_in):
    page = reverse("admin:orgs_quota_change", args=[quota(cast).pk])
    form = {"cpu": "4", "environments": "3", "memory_megabytes": ""}
    assert sign_in(cast.sam).post(page, form).status_code == 302
    assert (quota(cast).cpu, quota(cast).environments, quota(cast).memory_megabytes) == (Decimal(4), 3, None)
    assert sign_in(cast.sam).post(page, {"cpu": "-1"}).status_code == 200
    assert quota(cast).cpu == Decimal(4)


def test_staff_answer_a_request(cast, sign_in, asked):
    page = reverse("admin:orgs_quotarequest_change", args=[asked.pk])
    sam = sign_in(cast.sam)
    assert sam.post(page, {"decision": "perhaps", "answer": ""}).status_code == 200
    assert sam.post(page, {"decision": "grant", "answer": "Enjoy"}).status_code == 302
    asked.refresh_from_db()
    assert (asked.status, asked.answer, asked.answered_by) == ("granted", "Enjoy", cast.sam)
    assert quota(cast).cpu == Decimal(8)
    assert sam.post(page, {"decision": "refuse", "answer": ""}).status_code == 403


@pytest.mark.parametrize(("action", "status"), [("grant", "granted"), ("refuse", "refused")])
def test_requests_are_answered_from_the_list(cast, sign_in, asked, action, status):
    page = reverse("admin:orgs_quotarequest_changelist")
    sam = sign_in(cast.sam)
    for _ in range(2):  # a second time it is told that it was answered
        assert sam.post(page, {"action": action, "_selected_action": [str(asked.pk)]}).status_code == 302
    asked.refresh_from_db()
    assert asked.status == status


def test_limited_staff_look_and_change_nothing(cast, sign_in, asked):
    helper = make_person("Helper", is_staff=True)
    client = sign_in(helper)
    assert client.get(reverse("admin:orgs_quota_change", args=[quota(cast).pk])).status_code == 200
    assert client.post(reverse("admin:orgs_quota_change", args=[quota(cast).pk]), {"cpu": "1"}).status_code == 403
    answer = client.post(reverse("admin:orgs_quotarequest_change", args=[asked.pk]), {"decision": "grant"})
    assert answer.status_code == 403
    client.post(reverse("admin:orgs_quotarequest_changelist"), {"action": "grant", "_selected_action": [str(asked.pk)]})
    asked.refresh_from_db()
    assert asked.status == "waiting"


def test_an_invitation_is_revoked_and_its_code_is_never_shown(cast, sign_in):
    invitation = invitations.invite(organization=cast.acme, role="viewer", actor=cast.alice)
    sam = sign_in(cast.sam)
    page = sam.get(reverse("admin:orgs_invitation_change", args=[invitation.pk])).content.decode()
    assert invitation.code not in page
    assert invitation.link_token not in page
    form = {"action": "revoke", "_selected_action": [str(invitation.pk)]}
    sam.post(reverse("admin:orgs_invitation_changelist"), form)
    invitation.refresh_from_db()
    assert invitation.state == "revoked"
