"""Which seeds a deployment may take, by what their install held; the server is a set of folders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.deployments import seeds
from apps.deployments.models import Seed
from apps.servers.models import Server
from tests.cast import Cast
from tests.deployments.stage import Stage
from tests.factories import make_environment, make_project, make_server

SHOP = {"shop": "1"}


def make_seed(server: Server | None = None, *, modules: Any = None, installed: Any = (), **values: Any) -> Seed:
    return Seed(server=server, status="ready", modules=modules or {}, installed=list(installed), **values)


@pytest.mark.parametrize(
    ("installed", "known", "fits"),
    [
        (["base", "shop"], ["shop"], True),
        (["base", "sale", "shop"], ["shop", "spare"], True),
        # The project has a `sale` of its own, and the seed holds Odoo's.
        (["base", "sale", "shop"], ["sale", "shop"], False),
        # From before it was noted.
        ([], ["shop"], False),
    ],
)
def test_with_custom_modules_what_it_held_has_to_be_known(installed: list[str], known: list[str], fits: bool) -> None:
    assert seeds.fits(make_seed(modules=SHOP, installed=installed), known, SHOP) is fits


def test_base_alone_always_fits() -> None:
    assert seeds.fits(make_seed(), ["shop"], {})


@pytest.mark.django_db
def test_what_never_fits_makes_room(cast: Cast) -> None:
    stage = Stage(make_environment(make_project(cast.acme)))
    server, long_ago = make_server(cast.acme), clock.now() - timedelta(days=1)
    rows = {
        "base": make_seed(server, last_used_at=long_ago),
        "listed": make_seed(server, modules=SHOP, installed=["base", "shop"], last_used_at=long_ago),
        "unlisted": make_seed(server, modules=SHOP, last_used_at=long_ago),
        # Somebody may be copying it.
        "in use": make_seed(server, modules=SHOP, last_used_at=clock.now()),
        "being made": make_seed(server, modules=SHOP, last_used_at=long_ago),
    }
    rows["being made"].status = Seed.Status.MAKING
    for key, seed in rows.items():
        seed.key, seed.database_name = key, "one"
        seed.save()
        stage.folders.trees |= {f"/opt/oecsh/seeds/{key}-one{suffix}": [] for suffix in ("", ".spare")}
    for _ in range(2):
        seeds.remove_unlisted(stage.host, server)
        assert set(Seed.objects.values_list("key", flat=True)) == set(rows) - {"unlisted"}
        assert not [folder for folder in stage.folders.trees if "unlisted" in folder]
        assert len(stage.folders.trees) == 2 * 4
