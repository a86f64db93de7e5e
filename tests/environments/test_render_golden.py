"""What is rendered for each Odoo series, with and without workers and PgBouncer, compared with files under `golden/`.

After a wanted change: `UPDATE_GOLDEN=1 pytest tests/environments/test_render_golden.py`, and read the difference.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from apps.environments import render
from apps.environments.render import EnvironmentSpecification
from tests.environments.specifications import specification

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = ("14.0", "15.0", "16.0", "17.0", "18.0", "19.0")


def document(found: EnvironmentSpecification) -> str:
    """Every file and container of an environment as one text."""
    files = {"pg_hba.conf": "hba-digest"}
    containers = [
        render.database_container(found, files),
        *([render.pgbouncer_container(found, {"pgbouncer.ini": "ini-digest"})] if found.use_pgbouncer else []),
        render.odoo_container(found, configuration="0123456789abcdef", release="7"),
    ]
    parts = {
        "odoo.conf": render.odoo_conf(found),
        "odoo.conf of jobs": render.odoo_conf(found, job=True),
        "pg_hba.conf": render.pg_hba(found),
    }
    if found.use_pgbouncer:
        parts |= {"pgbouncer.ini": render.pgbouncer_ini(found), "userlist.txt": render.pgbouncer_userlist(found)}
    texts = [f"=== {name}\n{text}" for name, text in parts.items()]
    texts += [f"=== container {one.name}\n{json.dumps(asdict(one), indent=1, default=str)}\n" for one in containers]
    return "\n".join(texts)


@pytest.mark.parametrize("use_pgbouncer", [True, False], ids=["pgbouncer", "direct"])
@pytest.mark.parametrize("workers", [0, 4])
@pytest.mark.parametrize("version", VERSIONS)
def test_rendered_as_agreed(version: str, workers: int, use_pgbouncer: bool) -> None:
    text = document(specification(version, workers=workers, use_pgbouncer=use_pgbouncer))
    path = GOLDEN / f"{version}-workers{workers}-{'pgbouncer' if use_pgbouncer else 'direct'}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()
