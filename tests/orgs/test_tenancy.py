"""Nothing is visible across organizations."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet, get_visible_or_404

# What is the platform's own, or a person's own: these belong to no organization.
NOT_TENANTS = {"audit.event", "orgs.viewas"}
# People, and what is the platform's alone.
OTHER_APPS = {"accounts", "platform"}


def test_members_see_their_organization_only(cast):
    assert list(Organization.objects.visible_to(cast.bob)) == [cast.acme]
    assert list(Organization.objects.visible_to(cast.charlie)) == [cast.umbrella]
    assert Organization.objects.visible_to(AnonymousUser()).count() == 0
    assert Organization.objects.visible_to(cast.sam).count() == 2


def test_visible_to_is_one_query(cast, django_assert_num_queries):
    with django_assert_num_queries(1):
        list(Organization.objects.visible_to(cast.bob))


def test_the_getter_answers_404_to_a_stranger(cast):
    assert get_visible_or_404(Organization, cast.bob, slug="acme") == cast.acme
    with pytest.raises(Http404):
        get_visible_or_404(Organization, cast.charlie, slug="acme")


def tenant_models():
    platform = {"domains.acmeaccount", "domains.basedomain", "servers.installation"}
    for model in apps.get_models():
        is_ours = model.__module__.startswith("apps.") and model._meta.app_label not in OTHER_APPS
        if is_ours and model._meta.label_lower not in NOT_TENANTS | platform:
            yield model


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label_lower)
def test_every_model_knows_whom_it_is_visible_to(cast, model):
    assert isinstance(model._default_manager.all(), TenantQuerySet)
    assert list(model._default_manager.all().visible_to(cast.charlie).filter(pk=None)) == []
