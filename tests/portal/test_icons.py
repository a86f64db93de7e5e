"""Every icon that a template or a module names is on the sheet."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAMED = re.compile(r"""(?:\{% icon |icon_name=|label_icon=)["']([a-z0-9-]+)["']""")


def test_every_named_icon_is_listed() -> None:
    listed = set((ROOT / "static_src" / "icons.txt").read_text().split())
    named = {
        (name, path.name) for path in (ROOT / "templates").rglob("*.html") for name in NAMED.findall(path.read_text())
    }
    assert len(named) > 20
    assert {pair for pair in named if pair[0] not in listed} == set()
