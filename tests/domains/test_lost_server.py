"""A server that was given up: its environments' records go, although nothing could be asked of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.domains import dns_records, scanning
from apps.domains.models import DnsProvider, DnsRecord
from apps.servers.giving_up import expected_phrase, give_up_server
from apps.servers.models import Server
from tests.cast import Cast
from tests.domains.companies import TOKEN, DigitalOcean
from tests.factories import make_environment, make_project, make_server

NAME = "shop.apps.example.com"


@pytest.mark.django_db
def test_records_of_a_lost_server_are_removed(cast: Cast, company: Callable[..., Any]) -> None:
    zones = DigitalOcean()
    provider = DnsProvider.objects.create(
        name="Ours",
        kind="digitalocean",
        settings={"endpoint": company(zones).url},
        credentials=json.dumps({"auth_token": TOKEN}),
    )
    server = make_server(cast.acme)
    environment = make_environment(make_project(cast.acme), server=server, status="running")
    dns_records.ensure_record(provider, NAME, "192.0.2.7", environment=environment)
    assert [entry["value"] for entry in zones.records.values()] == ["192.0.2.7"]
    Server.objects.filter(pk=server.pk).update(status="unreachable")
    server.refresh_from_db()
    give_up_server(server=server, phrase=expected_phrase(server), actor=cast.alice)
    with clock.freeze(clock.now() + timedelta(hours=2)):
        scanning.remove_orphans()
    assert zones.records == {}
    assert not DnsRecord.objects.exists()
