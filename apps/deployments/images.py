"""Images on a server: brought there where they are missing, named by content, asked who their processes run as."""

from __future__ import annotations

import configparser
import io
import re
import tarfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import docker.errors
from django.core.exceptions import ValidationError

from apps.core.exceptions import Problem
from apps.environments.render import Image
from apps.projects.models import RegistryAccount
from apps.projects.registry import authentication
from apps.projects.validators import validate_account_fits
from apps.servers.host import Host

ODOO_CONFIGURATION = "/etc/odoo/odoo.conf"
_EXTRA_ADDONS = "/mnt/extra-addons"
# Images are customers': of a file no more than this is read, of a folder no more than that.
_LARGEST_FILE = 2**20
_MOST_OF_FOLDER = 32 * 2**20
# They become part of an odoo.conf: no line end, no comma.
_FOLDER = re.compile(r"/[A-Za-z0-9._/+@-]{1,200}")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class FoundImage:
    """An image that lies on the server."""

    reference: str
    image_id: str
    digest: str
    uid: int
    gid: int
    addons_path: tuple[str, ...] = ()
    size_megabytes: int = 0

    @property
    def for_container(self) -> Image:
        """What a container is made of: the id, because a tag may be moved to another image meanwhile."""
        return Image(self.image_id, self.uid, self.gid, self.addons_path)


@dataclass
class PullProgress:
    """How far a pull is, in bytes; written by the thread that pulls, read by the step that waits."""

    done: int = 0
    total: int = 0
    lines: list[str] | None = None


def find_image(host: Host, reference: str) -> dict[str, Any] | None:
    """What Docker says about an image on the server; None where it is not there."""
    try:
        return host.docker.api.inspect_image(reference)
    except docker.errors.NotFound:
        return None


def ensure_image(
    host: Host,
    reference: str,
    *,
    known: dict[str, tuple[int, int, list[str]]],
    user: str,
    account: RegistryAccount | None = None,
    refresh: bool = False,
    progress: PullProgress | None = None,
    stopped: threading.Event | None = None,
) -> FoundImage:
    """The image, pulled where it is missing (or where `refresh` asks whether its tag has moved).

    `known` maps image ids to (uid, gid, addons_path) as read before; `user` is who it should run as where the image
    itself does not say. Raises Problem `deployments.image_*`, `deployments.registry_unreachable`.
    """
    found = find_image(host, reference)
    if found is None or refresh:
        pull_image(host, reference, account=account, progress=progress or PullProgress(), stopped=stopped)
        found = find_image(host, reference)
    if found is None:
        raise Problem("deployments.image_not_found", image=reference)
    facts = known.get(found["Id"]) or read_facts(host, found["Id"], found["Config"].get("User") or "", user, reference)
    digests = found.get("RepoDigests") or []
    return FoundImage(
        reference=reference,
        image_id=found["Id"],
        digest=digests[0] if digests else found["Id"],
        uid=facts[0],
        gid=facts[1],
        addons_path=tuple(facts[2]),
        size_megabytes=found["Size"] // 2**20,
    )


def pull_image(
    host: Host,
    reference: str,
    *,
    account: RegistryAccount | None,
    progress: PullProgress,
    stopped: threading.Event | None = None,
) -> None:
    """Pulls through the server's Docker. The sign-in travels in the request and is not stored on the server."""
    name, tag = split_reference(reference)
    sign_in = _sign_in(reference, account) if account else None
    layers: dict[str, tuple[int, int]] = {}
    try:
        for event in host.docker.api.pull(name, tag=tag, stream=True, decode=True, auth_config=sign_in):
            if stopped is not None and stopped.is_set():
                return
            if "error" in event:
                raise _pull_problem(reference, str(event["error"]))
            _count(event, layers, progress)
    except docker.errors.APIError as error:
        raise _pull_problem(reference, str(error.explanation or error)) from error


def _sign_in(reference: str, account: RegistryAccount) -> dict[str, str]:
    """Name and password for the image's own registry; Docker itself would send them to any."""
    try:
        validate_account_fits(reference, account.host)
    except ValidationError as error:
        raise Problem("deployments.image_denied", image=reference, words=" ".join(error.messages)) from error
    login = authentication(account)
    return {"username": login["username"], "password": login["password"]}


def split_reference(reference: str) -> tuple[str, str]:
    """Name and tag (or digest) as Docker's API takes them; `latest` where there is none."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    return f"{head}{slash}{last}", tag if colon else "latest"


def read_facts(host: Host, image_id: str, user: str, wanted: str, reference: str) -> tuple[int, int, list[str]]:
    """User and group number, and the folders in the image's own odoo.conf. Read from a container that is made but
    never started: nothing of the image is run for it."""
    api = host.docker.api
    container = api.create_container(image_id, command=["true"], network_disabled=True)["Id"]
    try:
        passwd = _read_file(api, container, "/etc/passwd")
        configuration = _read_file(api, container, ODOO_CONFIGURATION)
        uid, gid = find_user(passwd, user, wanted, reference)
        folders = [path for path in configured_addons(configuration) if _holds_modules(api, container, path)]
    finally:
        api.remove_container(container, v=True, force=True)
    return uid, gid, folders


def find_user(passwd: str, user: str, wanted: str, reference: str) -> tuple[int, int]:
    """The numbers behind an image's USER (`name`, `name:group`, `uid`, `uid:gid`); `wanted` where it has none or
    root. Raises Problem `deployments.image_not_odoo`."""
    name = user.partition(":")[0]
    rows = [line.split(":") for line in passwd.splitlines() if line.count(":") >= 6]
    numbered = [row for row in rows if _NUMBER.fullmatch(row[2]) and _NUMBER.fullmatch(row[3])]
    by_name = {row[0]: (int(row[2]), int(row[3])) for row in numbered}
    if _NUMBER.fullmatch(name) and int(name):
        group = user.partition(":")[2]
        same = next((numbers for numbers in by_name.values() if numbers[0] == int(name)), (int(name), int(name)))
        return int(name), int(group) if _NUMBER.fullmatch(group) else same[1]
    for candidate in (name, wanted):
        if candidate in by_name and by_name[candidate][0]:
            return by_name[candidate]
    raise Problem("deployments.image_not_odoo", image=reference, words=f"neither {name or 'root'} nor {wanted} fits.")


def configured_addons(configuration: str) -> Iterable[str]:
    """addons_path of an odoo.conf, as a list of absolute folders."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(configuration)
    except configparser.Error:
        return [_EXTRA_ADDONS]
    value = parser.get("options", "addons_path", fallback=_EXTRA_ADDONS)
    return [path.strip() for path in value.split(",") if _FOLDER.fullmatch(path.strip())]


def _read_file(api: Any, container: str, path: str) -> str:
    """The beginning of a file; empty where there is none, or where the engine sends something else."""
    try:
        chunks, _ = api.get_archive(container, path)
    except docker.errors.NotFound:
        return ""
    try:
        with tarfile.open(fileobj=_Chunks(chunks, 2 * _LARGEST_FILE), mode="r|") as archive:
            member = next((entry for entry in archive if entry.isfile()), None)
            found = archive.extractfile(member) if member else None
            return found.read(_LARGEST_FILE).decode(errors="replace") if found else ""
    except tarfile.TarError:
        return ""


def _holds_modules(api: Any, container: str, path: str) -> bool:
    """Reads no further than the first module: a folder may be large. Odoo warns of one without any, so that one which
    is too large to look through may count."""
    try:
        chunks, _ = api.get_archive(container, path)
    except docker.errors.NotFound:
        return False
    read = _Chunks(chunks, _MOST_OF_FOLDER)
    try:
        with tarfile.open(fileobj=read, mode="r|") as archive:
            return any(entry.name.endswith("/__manifest__.py") for entry in archive)
    except tarfile.TarError:
        return read.is_cut


class _Chunks(io.RawIOBase):
    """A stream of bytes as a file, which ends after `most` bytes."""

    def __init__(self, chunks: Iterable[bytes], most: int) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self._room = most
        self.is_cut = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and not self.is_cut:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self.is_cut = len(chunk) > self._room
            self._rest += chunk[: self._room]
            self._room -= len(chunk)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _count(event: dict[str, Any], layers: dict[str, tuple[int, int]], progress: PullProgress) -> None:
    detail = event.get("progressDetail") or {}
    if event.get("status") in ("Downloading", "Extracting") and detail.get("total"):
        # Unpacking counts as much as fetching: both take time.
        base = 0 if event["status"] == "Downloading" else detail["total"]
        layers[event["id"]] = (base + detail.get("current", 0), 2 * detail["total"])
        progress.done = sum(done for done, _ in layers.values())
        progress.total = sum(total for _, total in layers.values())


_REASONS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("deployments.image_not_found", lambda words: "does not exist" in words or "not exist" in words),
    ("deployments.image_denied", lambda words: "unauthorized" in words or "denied" in words),
    ("deployments.image_not_found", lambda words: "not found" in words or "manifest unknown" in words),
    (
        "deployments.registry_unreachable",
        lambda words: any(part in words for part in ("no such host", "timeout", "refused", "unreachable", "tls:")),
    ),
)


def _pull_problem(reference: str, words: str) -> Problem:
    if "no space left" in words:
        return Problem("servers.disk_full", path="Docker's own folder")
    code = next((code for code, matches in _REASONS if matches(words.lower())), "deployments.image_failed")
    return Problem(code, image=reference, words=words[:500])
