"""What is read out of an image: images are customers', and so are the engines that send their files."""

from __future__ import annotations

import base64
import io
import itertools
import json
import tarfile
from collections.abc import Iterator

import pytest

from apps.core.exceptions import Problem
from apps.deployments import images
from tests.environments.engine import engine

STAT = base64.b64encode(json.dumps({"name": "x", "size": 1, "mode": 0}).encode()).decode()


def archive(*entries: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as written:
        for name, data in entries:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(data)
            written.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def sends(pieces: Iterator[bytes]):
    return engine(lambda _: (200, {"X-Docker-Container-Path-Stat": STAT}, pieces))


def test_a_file_and_a_folder() -> None:
    with sends(iter([archive(("passwd", b"root:x:0:0::/:/bin/sh\n"))])) as host:
        assert images._read_file(host.docker.api, "x", "/etc/passwd") == "root:x:0:0::/:/bin/sh\n"
    with sends(iter([archive(("addons/README", b""), ("addons/sale/__manifest__.py", b"{}"))])) as host:
        assert images._holds_modules(host.docker.api, "x", "/addons")
    with sends(iter([archive(("addons/README", b""))])) as host:
        assert not images._holds_modules(host.docker.api, "x", "/addons")


def test_a_file_of_ten_gigabytes_is_read_to_its_first_megabyte() -> None:
    member = tarfile.TarInfo("passwd")
    member.size = 10 * 2**30
    header = member.tobuf(tarfile.GNU_FORMAT)
    with sends(itertools.chain([header], itertools.repeat(b"a" * 2**16))) as host:
        assert len(images._read_file(host.docker.api, "x", "/etc/passwd")) == images._LARGEST_FILE


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_ten_gigabytes(kind: bytes) -> None:
    member = tarfile.TarInfo("passwd")
    member.type, member.size = kind, 2**33 - 1
    header = member.tobuf(tarfile.GNU_FORMAT)
    for read, expected in ((images._read_file, ""), (images._holds_modules, True)):
        with sends(itertools.chain([header], itertools.repeat(b"a" * 2**16))) as host:
            assert read(host.docker.api, "x", "/etc") == expected


@pytest.mark.parametrize("garbage", [b"", b"no archive", b"\x1f\x8b\x08" + b"x" * 600, b"\0" * 1024])
def test_what_is_no_archive(garbage: bytes) -> None:
    for read, expected in ((images._read_file, ""), (images._holds_modules, False)):
        with sends(iter([garbage])) as host:
            assert read(host.docker.api, "x", "/etc") == expected


def test_a_link_in_the_place_of_a_file() -> None:
    with sends(iter([archive(("passwd", b""), kind=tarfile.SYMTYPE)])) as host:
        assert images._read_file(host.docker.api, "x", "/etc/passwd") == ""


@pytest.mark.parametrize("number", ["\N{SUPERSCRIPT TWO}", "9" * 5000, "-1", "", "1e3", "0x65"])
def test_rows_whose_numbers_are_none_are_left_out(number: str) -> None:
    passwd = f"odoo:x:{number}:102::/:/bin/sh\nother:x:7:7::/:/bin/sh\n"
    with pytest.raises(Problem) as caught:
        images.find_user(passwd, "odoo", "odoo", "odoo:19.0")
    assert caught.value.code == "deployments.image_not_odoo"
    with pytest.raises(Problem):
        images.find_user("", number, "odoo", "odoo:19.0")
