"""Making organizations and members."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.audit.models import Event
from apps.core.exceptions import Conflict, Problem
from apps.orgs import services
from apps.orgs.models import Membership
from apps.orgs.roles import Role


def test_the_short_name_comes_from_the_name_and_stays_unique(cast):
    first = services.create_organization(name="Acme", owner=cast.charlie)
    assert first.slug == "acme-2"
    assert services.create_organization(name="Älpha & Sons", owner=cast.charlie).slug == "alpha-sons"
    assert services.create_organization(name="東京", owner=cast.charlie).slug == "organization"


def test_a_taken_or_reserved_short_name_is_refused(cast):
    for slug in ("acme", "admin"):
        with pytest.raises(Conflict):
            services.create_organization(name="Other", owner=cast.charlie, slug=slug)


@pytest.mark.parametrize("name", ["", " padded", "two\nlines"])
def test_a_bad_name_is_refused(cast, name):
    with pytest.raises(ValidationError):
        services.create_organization(name=name, owner=cast.charlie)


def test_there_is_exactly_one_owner(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=cast.acme, user=cast.charlie, role=Role.OWNER)
    with pytest.raises(Problem):
        services.add_member(organization=cast.acme, user=cast.charlie, role=Role.OWNER, actor=cast.alice)


def test_a_member_is_added_once(cast):
    with pytest.raises(Conflict):
        services.add_member(organization=cast.acme, user=cast.bob, role=Role.ADMIN, actor=cast.alice)


def test_it_is_written_down(cast):
    event = Event.objects.get(action="member.added", target_id=cast.bob.pk)
    assert event.actor_id == cast.alice.pk
    assert event.organization_id == cast.acme.pk
    assert event.after == {"role": "developer"}
