"""The grammars refuse what has broken other platforms, and accept what people really use."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from apps.core import validators

HOSTILE = [
    "--upload-pack=touch /tmp/x",
    "main;id",
    "$(id)",
    "`id`",
    "main\nid",
    "main\x00",
    "../../etc/passwd",
    "-main",
    "main|id",
    "a b",
    "ext::sh -c id",
    "",
]
GRAMMARS = [
    validators.validate_git_reference,
    validators.validate_git_url,
    validators.validate_slug,
    validators.validate_variable_name,
    validators.validate_host_name,
    validators.validate_image_reference,
    validators.validate_address,
]


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.__name__)
@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_refused(grammar, value):
    with pytest.raises(ValidationError):
        grammar(value)


@pytest.mark.parametrize(
    ("grammar", "value"),
    [
        (validators.validate_git_reference, "main"),
        (validators.validate_git_reference, "feature/ABC-12_new.thing"),
        (validators.validate_git_reference, "v1.5.0"),
        (validators.validate_git_reference, "19.0"),
        (validators.validate_git_url, "https://github.com/acme/addons.git"),
        (validators.validate_git_url, "git@gitlab.com:acme/team/addons.git"),
        (validators.validate_git_url, "ssh://git@git.example.com:2222/acme/addons"),
        (validators.validate_git_url, "http://127.0.0.1:8080/acme/addons.git"),
        (validators.validate_slug, "acme-2"),
        (validators.validate_variable_name, "SMTP_HOST"),
        (validators.validate_host_name, "erp.example.com"),
        (validators.validate_image_reference, "odoo:19.0"),
        (validators.validate_image_reference, "registry.example.com:5000/team/odoo:1.2@sha256:" + "a" * 64),
        (validators.validate_image_reference, "ghcr.io/acme/odoo_custom"),
        (validators.validate_address, "2001:db8::1"),
        (validators.validate_address, "192.0.2.7"),
    ],
)
def test_usual_values_are_accepted(grammar, value):
    grammar(value)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "https://user:secret@example.com/a.git",
        "https://example.com/a.git?x=1",
        "https://example.com/../a.git",
        "https://exa mple.com/a",
        "https://example.com:99999/a",
        "git@-oProxyCommand=id:a",
    ],
)
def test_dangerous_git_urls_are_refused(url):
    with pytest.raises(ValidationError):
        validators.validate_git_url(url)


@given(st.text(max_size=60))
def test_an_accepted_reference_can_never_be_an_option_or_leave_its_folder(value):
    try:
        validators.validate_git_reference(value)
    except ValidationError:
        return
    assert not value.startswith("-")
    assert ".." not in value
    assert not set(value) & set(" ;$`|&<>\n\r\0'\"\\~^:?*[")


@pytest.mark.parametrize("value", [" a", "a ", "a\nb", "a\u202eb", "a\x00b"])
def test_names_are_one_line_of_printable_text(value):
    with pytest.raises(ValidationError):
        validators.validate_plain_text(value)
