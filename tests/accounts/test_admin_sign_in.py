"""Staff sign in by the page that is limited in attempts, not by the admin's own."""

from __future__ import annotations

import pytest


@pytest.mark.django_db
def test_the_admin_asks_to_sign_in_at_the_portal(client):
    for address in ("/admin/", "/admin/login/"):
        answer = client.get(address, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/account/login/")


def test_a_member_who_is_no_staff_is_kept_out(cast, sign_in):
    assert sign_in(cast.alice).get("/admin/").status_code in (302, 403)
    assert sign_in(cast.sam).get("/admin/").status_code == 200
