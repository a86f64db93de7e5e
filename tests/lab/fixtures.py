"""Fixtures and hooks of the lab for pytest (`pytest_plugins = ["tests.lab.fixtures"]` in tests/conftest.py).

Everything is made on first use and shared by the whole session. Tests that use it carry the marker `lab`; without root
they are left out, and the last lines of the run say how many.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.lab.acme import AcmeServer
    from tests.lab.dns import DnsServer
    from tests.lab.git import GitServer
    from tests.lab.lab import Lab
    from tests.lab.mail import MailSink
    from tests.lab.registry import PrivateRegistry
    from tests.lab.server import LabServer

LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without root there is no lab: its tests are deselected, not skipped, and counted."""
    if os.geteuid() == 0:
        return
    left_out = [item for item in items if item.get_closest_marker("lab")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("lab")]
    config.stash[LEFT_OUT] = len(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(f"{left_out} tests of the lab were left out: they need root", yellow=True)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this session, in a slot of its own; its servers are powered off at the end."""
    from tests.lab.lab import Lab

    with Lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def lab_server(lab: Lab) -> LabServer:
    """Server `alpha`, with Docker."""
    return lab.server("alpha")


@pytest.fixture(scope="session")
def second_lab_server(lab: Lab) -> LabServer:
    """Server `beta`, with Docker."""
    return lab.server("beta")


@pytest.fixture(scope="session")
def bare_lab_server(lab: Lab) -> LabServer:
    """Server `gamma`: Debian and sshd, no Docker; apt works."""
    return lab.server("gamma", docker=False)


@pytest.fixture(scope="session")
def git_server(lab: Lab) -> GitServer:
    """HTTP with and without token, SSH with deploy keys; `create` makes a repository."""
    return lab.git.start()


@pytest.fixture(scope="session")
def dns_server(lab: Lab) -> DnsServer:
    """Authoritative for the zones that a test adds; takes RFC 2136 updates."""
    return lab.dns.start()


@pytest.fixture(scope="session")
def acme_server(lab: Lab, dns_server: DnsServer) -> AcmeServer:
    """Pebble, which validates through `dns_server`."""
    return lab.acme.start()


@pytest.fixture(scope="session")
def mail_sink(lab: Lab) -> MailSink:
    """An SMTP server that keeps what it gets."""
    return lab.mail.start()


@pytest.fixture(scope="session")
def private_registry(lab: Lab) -> PrivateRegistry:
    """An image registry with a password."""
    return lab.private_registry.start()


@pytest.fixture(scope="session")
def served_images(lab: Lab) -> str:
    """All images of `images/`, to be pulled by the lab's servers under their usual names (`odoo:19.0`)."""
    return lab.serve_images()
