"""The grammars of what people type. Everything else that names a thing on a host comes from ids."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# https://git-scm.com/docs/git-check-ref-format; the letters that shells give a meaning are left out as well.
GIT_REFERENCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+#@=-]*")
_IMAGE_NAME = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
# https://github.com/distribution/reference
IMAGE_REFERENCE = re.compile(
    rf"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{{1,5}})?/)?{_IMAGE_NAME}(?:/{_IMAGE_NAME})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_SCP_URL = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[A-Za-z0-9.-]+):(?P<path>[^\s:][^\s]*)")
_PATH = re.compile(r"[A-Za-z0-9_.~/+%@-]+")
GIT_SCHEMES = ("https", "http", "ssh")


def validate_plain_text(value: str) -> None:
    """Names and descriptions: printable text on one line."""
    if value != value.strip():
        raise ValidationError("Remove the spaces at the beginning and the end.")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in value):
        raise ValidationError("Use printable characters on one line.")


def validate_text(value: str) -> None:
    """Messages and reasons: printable text on any number of lines."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in "\r\n\t" for character in value):
        raise ValidationError("Use printable characters.")


def validate_slug(value: str) -> None:
    """A DNS label: slugs become parts of host names."""
    if not SLUG.fullmatch(value):
        raise ValidationError("Use 1 to 63 small letters, digits and hyphens, with a letter or digit at both ends.")


def validate_host_name(value: str) -> None:
    """A DNS name in small letters, without a trailing dot."""
    if len(value) > 253 or not HOST_NAME.fullmatch(value):
        raise ValidationError("This is not a host name: use small letters, digits, hyphens and dots.")


def validate_address(value: str) -> None:
    """A host name or an IP address to connect to."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        validate_host_name(value.lower())


def validate_variable_name(value: str) -> None:
    """The name of an environment variable."""
    if not VARIABLE_NAME.fullmatch(value):
        raise ValidationError("Use letters, digits and underscores, not starting with a digit.")


def validate_git_reference(value: str) -> None:
    """A branch, a tag or a commit, as `git check-ref-format` has it, without characters that a shell knows."""
    broken = (
        not GIT_REFERENCE.fullmatch(value)
        or len(value) > 200
        or ".." in value
        or "@{" in value
        or "//" in value
        or value.endswith(("/", "."))
        or any(part.startswith(".") or part.endswith(".lock") for part in value.split("/"))
    )
    if broken:
        raise ValidationError("This is not the name of a branch, tag or commit.")


def validate_git_url(value: str) -> None:
    """https://, http:// or ssh:// address of a repository, or user@host:path; never with a password in it."""
    message = "Use an address such as https://host/path.git or git@host:path.git."
    # urlsplit drops line ends and tabs, and would judge another address than the one that is used.
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValidationError(message)
    scp = _SCP_URL.fullmatch(value)
    if scp:
        host, path, password = scp["host"], scp["path"], None
    else:
        try:
            parts = urlsplit(value)
            host, path, password, _port = parts.hostname or "", parts.path, parts.password, parts.port
        except ValueError as error:
            raise ValidationError(message) from error
        if parts.scheme not in GIT_SCHEMES or parts.query or parts.fragment:
            raise ValidationError(message)
    if password:
        raise ValidationError("Leave the password out of the address, and choose a credential instead.")
    if not host or len(value) > 500 or not _PATH.fullmatch(path) or ".." in path.split("/") or path.startswith("-"):
        raise ValidationError(message)
    validate_address(host.lower())


def validate_image_reference(value: str) -> None:
    """The name of a container image: [registry/]name[:tag][@sha256:digest]."""
    if len(value) > 300 or not IMAGE_REFERENCE.fullmatch(value):
        raise ValidationError(
            "This is not the name of an image, such as odoo:19.0 or registry.example.com/team/odoo:1."
        )
