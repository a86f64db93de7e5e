"""The key ring has lost its key, and nothing that is stored can be decrypted: every page and every list opens all the
same, in the portal, the API and the admin, and so do the tasks of the clock."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from apps.domains import scanning
from apps.orgs import readers
from tests import test_every_route as pages
from tests.api import test_every_endpoint as endpoints
from tests.api.conftest import make_program
from tests.api.world import make_world
from tests.browser.scene import build_scene
from tests.lost_keys import lose_everything
from tests.routes import GET
from tests.routes import TABLE as PAGES

MODELS = [model for model in apps.get_models() if model.__module__.startswith("apps.")]


@pytest.mark.django_db
def test_every_page_opens(sign_in):
    scene = build_scene()
    walked = [name for name, method, _ in PAGES if method == GET and name not in pages.REACHES_OUT]
    addresses = {name: pages.address_of(name, scene) for name in walked}
    assert lose_everything() >= 8
    client = sign_in(scene.cast.alice)
    answers = {name: client.get(address).status_code for name, address in addresses.items()}
    # Alice has no picture.
    assert {name: status for name, status in answers.items() if status not in (200, 302)} == {"accounts:avatar": 404}


def test_every_list_and_every_row_of_the_api_is_answered(cast):
    world = make_world(cast, cast.acme, cast.alice)
    program = make_program(cast.acme, cast.alice)
    lose_everything()
    for name, method, _ in endpoints.TABLE:
        if method == "GET" and name not in endpoints.REACHES_OUT:
            answer = program.get(endpoints.address_of(name, world))
            assert answer.status_code == 200, name


def test_the_admin_opens(sign_in, db):
    scene = build_scene()
    lose_everything()
    client = sign_in(scene.cast.sam)
    for model in admin.site._registry:
        if model in MODELS:
            where = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            assert client.get(reverse(f"{where}_changelist"), follow=True).status_code == 200, model
            row = model._base_manager.first()
            if row is not None:
                assert client.get(reverse(f"{where}_change", args=[row.pk])).status_code == 200, model


def test_the_clock_goes_on(db):
    scene = build_scene()
    lose_everything()
    scanning.scan()
    readers.settle(scene.organization.pk)
