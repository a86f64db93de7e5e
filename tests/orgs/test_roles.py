"""The table of roles has the shape that the specification gives it."""

from __future__ import annotations

import pytest

from apps.orgs.access import require
from apps.orgs.roles import ALL_CODES, CODES_BY_ROLE


@pytest.mark.parametrize(
    ("role", "count"),
    [
        ("portal_admin", 95),
        ("org_owner", 79),
        ("org_admin", 75),
        ("org_member", 26),
        ("project_admin", 34),
        ("project_member", 8),
    ],
)
def test_every_role_has_its_number_of_codes(role, count):
    assert len(CODES_BY_ROLE[role]) == count


def test_an_admin_lacks_exactly_what_is_the_owners():
    owners_only = {"org.delete", "org.ownership.transfer", "org.billing.manage", "org.quotas.manage"}
    assert CODES_BY_ROLE["org_owner"] - CODES_BY_ROLE["org_admin"] == owners_only


def test_helper_roles_only_read_or_stay_inside_a_project():
    assert all(code.endswith((".view", ".list")) for code in CODES_BY_ROLE["org_viewer"])
    assert CODES_BY_ROLE["project_member"] < CODES_BY_ROLE["project_developer"] < CODES_BY_ROLE["project_admin"]


@pytest.mark.parametrize(
    ("person", "may_deploy", "may_add_servers", "may_delete"),
    [
        ("alice", True, True, True),
        ("anna", True, True, False),
        ("bob", True, False, False),
        ("vera", False, False, False),
        ("charlie", False, False, False),
        ("sam", True, True, True),
    ],
)
def test_what_each_may_do_in_acme(cast, person, may_deploy, may_add_servers, may_delete):
    user = getattr(cast, person)
    assert user.has_perm("project.environments.deploy", cast.acme) is may_deploy
    assert user.has_perm("org.servers.create", cast.acme) is may_add_servers
    assert user.has_perm("org.delete", cast.acme) is may_delete


def test_an_unknown_code_is_a_mistake_of_ours(cast):
    with pytest.raises(ValueError, match=r"org\.nonsense"):
        require(cast.alice, "org.nonsense", cast.acme)
    assert "org.nonsense" not in ALL_CODES


def test_an_inactive_person_may_nothing(cast):
    cast.alice.is_active = False
    assert not cast.alice.has_perm("org.view", cast.acme)
