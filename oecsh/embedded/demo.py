"""`make demo`: from nothing to a running Odoo, through the product's own services.

Four things are prepared side by side (images, front end, the lab's services, the control plane); then `demo_job` does
what a person would do in the portal. A second run finds all of it there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from oecsh.embedded import control_plane, testing
from oecsh.embedded.preparation import ensure_images
from oecsh.embedded.progress import Background, say

if TYPE_CHECKING:
    from tests.lab.demo import DemoLab

BASE_DOMAIN = "apps.localhost"
RESULT = control_plane.RUN_DIRECTORY / "demo.json"
LAB = control_plane.RUN_DIRECTORY / "demo-lab.json"
JOB = [sys.executable, "-m", "oecsh.embedded.demo_job"]


def run_demo() -> int:
    """Does all of it; returns the exit code for the shell."""
    say("OEC.SH demo: an empty machine becomes an Odoo host")
    control_plane.RUN_DIRECTORY.mkdir(mode=0o700, exist_ok=True)
    images = Background("Docker engine and images", prepare_images)
    front_end = Background("Front end", prepare_front_end)
    lab = Background("SSH, Git, DNS and certificate authority", prepare_lab)
    try:
        lab_facts = lab.wait()
        LAB.touch(mode=0o600)
        LAB.write_text(json.dumps(lab_facts, indent=2))
        front_end.wait()
        say("Control plane: starting PostgreSQL, Valkey, web, worker and beat")
        control_plane.prepare(**control_plane_settings(lab_facts))
        control_plane.start()
        say(f"Control plane: the portal answers at {control_plane.read_environment()['PORTAL_URL']}")
        images.wait()
    except Exception as error:
        say(f"The demo could not be prepared: {error}")
        say(f"Logs: {control_plane.RUN_DIRECTORY / 'logs'}")
        return 1
    return subprocess.run(JOB, check=False, cwd=control_plane.BASE_DIRECTORY).returncode


def prepare_images() -> None:
    """A Docker engine that answers, and every image that the demo's environment needs."""
    ensure_images()


def prepare_front_end() -> None:
    """The pages' style and scripts."""
    from oecsh.embedded.frontend import build_frontend

    build_frontend()


def prepare_lab() -> dict[str, str]:
    """What stands around the platform: this machine's SSH server, a Git server, DNS and an ACME server."""
    return demo_lab().start(BASE_DOMAIN)


def demo_lab() -> DemoLab:
    """The demo's lab, running or not."""
    from tests.lab.demo import DemoLab

    return DemoLab(control_plane.RUN_DIRECTORY / "lab")


def control_plane_settings(lab_facts: dict[str, str]) -> dict[str, str]:
    """The settings that tell the control plane about the lab."""
    names = ("ACME_DIRECTORY_URL", "ACME_CA_FILE", "ACME_CONTACT", "EMAIL_URL")
    settings = {name: lab_facts[name] for name in names if name in lab_facts}
    return settings | {"BASE_DOMAIN": BASE_DOMAIN}


def stop_everything() -> int:
    """`make down`: stops what the demo and the tests started, and nothing else. Data stay."""
    _stop_environments()
    control_plane.stop()
    testing.stop_services(control_plane.RUN_DIRECTORY / "testing")
    if (control_plane.RUN_DIRECTORY / "lab").exists():
        demo_lab().stop()
    _stop_engine()
    say("Stopped. Data stay in .run; `make demo` starts it all again.")
    return 0


def _stop_environments() -> None:
    """The containers that the demo's server runs: they are labelled as ours."""
    from images.engine import connect

    client = connect()
    for container in client.containers.list(ignore_removed=True, filters={"label": "sh.oec.managed"}) if client else []:
        container.stop(timeout=20)


def _stop_engine() -> None:
    """The Docker engine, if it was us who started it."""
    from images.engine import stop_engine

    stop_engine()
