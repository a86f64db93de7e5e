"""Every page, on a wide and a narrow screen, light and dark: nothing in the console, nothing against the policy,
nothing sideways, nothing that axe calls serious. The pictures are kept to be looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.pages import PAGES, PageCase
from tests.browser.scene import Scene
from tests.browser.watch import NARROW, WIDE, WatchedPage

SIZES = (("wide", WIDE), ("narrow", NARROW))


@pytest.mark.parametrize("case", PAGES, ids=lambda case: case.name)
def test_page_is_sound(case: PageCase, scene: Scene, look: Callable[..., WatchedPage]) -> None:
    for width, size in SIZES:
        watched = look(case.person(scene), size=size)
        watched.open(case.address(scene), expect=case.status)
        watched.assert_fits()
        for theme in ("light", "dark"):
            watched.change_theme(theme)
            watched.shoot(f"{case.name}-{width}-{theme}")
            watched.assert_accessible()
        # Chromium itself reports the answer of a page that is meant to be an error's.
        watched.assert_no_complaints(but=f"status of {case.status}" if case.status >= 400 else "")
