"""The whole way through the pages, on a real server: add, let the platform in, confirm, test, prepare, look."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from apps.operations.models import Operation
from apps.operations.runner import run_operation
from apps.servers import keys
from apps.servers.models import Server
from tests.cast import Cast
from tests.lab.lab import Lab
from tests.lab.server import LabServer
from tests.servers.pages import ADD

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
HTMX = {"HX-Request": "true"}


def page(name: str, server: str = "shop") -> str:
    return reverse(f"servers:{name}", args=["acme", server])


def test_from_nothing_to_a_ready_server(lab: Lab, lab_server: LabServer, cast: Cast, sign_in) -> None:
    lab.serve_images(["traefik", "busybox"])
    lab_server.forget_owner()
    browser = sign_in(cast.anna)
    added = browser.post(reverse("servers:add", args=["acme"]), ADD | {"address": lab_server.address, "port": "22"})
    detail = browser.get(added.url).text
    line = re.search(r"echo &#x27;(ssh-ed25519 [^&]+)&#x27;|echo '(ssh-ed25519 [^']+)'", detail)
    lab_server.authorize(line[1] or line[2])

    shown = browser.get(page("host_key"), headers=HTMX).text
    assert lab_server.host_key_fingerprint in shown
    host_key = re.search(r'name="host_key" value="([^"]+)"', shown)[1]
    other = keys.generate().public_key
    refused = browser.post(page("host_key_confirm"), {"host_key": other})
    assert refused.status_code == 422
    assert Server.objects.get().host_key == ""
    assert browser.post(page("host_key_confirm"), {"host_key": host_key}).status_code == 302
    assert Server.objects.get().host_key_fingerprint == lab_server.host_key_fingerprint
    assert "the confirmed one" in browser.get(page("host_key")).text

    tested = browser.post(page("test"), headers=HTMX).text
    assert "The connection works." in tested
    assert "Debian GNU/Linux" in tested

    browser.post(page("prepare"))
    assert "Install Docker" in browser.get(page("detail")).text
    operation = Operation.objects.get()
    run_operation(operation.pk)
    assert Server.objects.get().status == "ready"
    ready = browser.get(page("detail")).text
    assert "Prepare again" in ready
    assert "Let the platform in" not in ready
    assert browser.post(page("sync"), follow=True).status_code == 200
    assert Server.objects.get().status == "ready"
