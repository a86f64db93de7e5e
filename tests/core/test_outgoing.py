"""The platform calls no private address that a user gave it."""

from __future__ import annotations

import pytest

from apps.core import outgoing
from apps.core.exceptions import Problem


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.5",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "192.0.0.192",
        "192.88.99.1",
        "168.63.129.16",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "localhost",
        "2130706433",
        "0x7f.1",
    ],
)
def test_private_and_reserved_addresses_are_refused(settings, host):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(Problem) as caught:
        outgoing.check_address(host, 443)
    assert caught.value.code in ("core.address_not_allowed", "core.address_unknown")


def test_public_addresses_are_returned(settings):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    assert outgoing.check_address("8.8.8.8", 443) == ["8.8.8.8"]


def test_a_named_private_network_is_allowed(settings):
    settings.ALLOWED_PRIVATE_NETWORKS = ["10.1.0.0/16"]
    assert outgoing.check_address("10.1.2.3", 22) == ["10.1.2.3"]
    with pytest.raises(Problem):
        outgoing.check_address("10.2.2.3", 22)


def test_names_that_do_not_exist_are_said_to_be_unknown(settings):
    with pytest.raises(Problem) as caught:
        outgoing.check_address("nobody.invalid", 443)
    assert caught.value.code == "core.address_unknown"
    assert "nobody.invalid" in caught.value.title


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8/", "ftp://8.8.8.8/", "https://", "https://8.8.8.8:99999/", "file:///x"]
)
def test_only_the_named_schemes(settings, url):
    with pytest.raises(Problem):
        outgoing.check_url(url)
    assert outgoing.check_url("https://8.8.8.8/path") == ["8.8.8.8"]
