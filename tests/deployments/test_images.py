"""Names of images, who they run as, and what a registry's refusal means."""

from __future__ import annotations

import pytest

from apps.core.exceptions import Problem
from apps.deployments import images
from apps.projects.models import RegistryAccount

PASSWD = "root:x:0:0:root:/root:/bin/sh\nodoo:x:101:102::/var/lib/odoo:/bin/false\npostgres:x:999:999::/:/bin/sh\n"


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("odoo:19.0", ("odoo", "19.0")),
        ("odoo", ("odoo", "latest")),
        ("registry.example.com:5000/team/odoo", ("registry.example.com:5000/team/odoo", "latest")),
        ("registry.example.com:5000/team/odoo:1", ("registry.example.com:5000/team/odoo", "1")),
        ("odoo@sha256:ab", ("odoo", "sha256:ab")),
    ],
)
def test_references_are_taken_apart(reference: str, parts: tuple[str, str]) -> None:
    assert images.split_reference(reference) == parts


@pytest.mark.parametrize(
    ("user", "wanted", "numbers"),
    [
        ("odoo", "odoo", (101, 102)),
        ("", "postgres", (999, 999)),
        ("0", "odoo", (101, 102)),
        ("root", "odoo", (101, 102)),
        ("101", "odoo", (101, 102)),
        ("101:7", "odoo", (101, 7)),
        ("4711", "odoo", (4711, 4711)),
        ("odoo:odoo", "odoo", (101, 102)),
    ],
)
def test_the_user_of_an_image(user: str, wanted: str, numbers: tuple[int, int]) -> None:
    assert images.find_user(PASSWD, user, wanted, "odoo:19.0") == numbers


def test_an_image_without_a_fitting_user_is_refused() -> None:
    with pytest.raises(Problem, match=r"odoo:19\.0"):
        images.find_user("root:x:0:0::/:/bin/sh\n", "", "odoo", "odoo:19.0")


def test_folders_of_an_image() -> None:
    assert list(images.configured_addons("[options]\naddons_path = /a, /b ,relative\n")) == ["/a", "/b"]
    assert list(images.configured_addons("")) == ["/mnt/extra-addons"]
    assert list(images.configured_addons("no section")) == ["/mnt/extra-addons"]


def test_a_folder_of_an_image_is_no_line_of_our_configuration() -> None:
    configuration = "[options]\naddons_path = /a,/b\n smtp_server = mail.example.com\n"
    assert list(images.configured_addons(configuration)) == ["/a"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("manifest for odoo:99.0 not found: manifest unknown", "deployments.image_not_found"),
        ("pull access denied for x, repository does not exist or may require login", "deployments.image_not_found"),
        ("unauthorized: authentication required", "deployments.image_denied"),
        ("Get https://registry/v2/: dial tcp: lookup registry: no such host", "deployments.registry_unreachable"),
        ("write /var/lib/docker/tmp: no space left on device", "servers.disk_full"),
        ("unexpected", "deployments.image_failed"),
    ],
)
def test_refusals_are_told_apart(words: str, code: str) -> None:
    assert images._pull_problem("odoo:99.0", words).code == code


def test_a_password_does_not_travel_to_another_registry() -> None:
    account = RegistryAccount(kind="other", host="registry.example.com", username="robot", password="s3cret")
    assert images._sign_in("registry.example.com/odoo:1", account) == {"username": "robot", "password": "s3cret"}
    with pytest.raises(Problem) as caught:
        images._sign_in("evil.example.net/odoo:1", account)
    assert caught.value.code == "deployments.image_denied"
