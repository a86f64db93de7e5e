"""Files on a server, over SFTP. What is written appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import stat
import struct
import tarfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import paramiko

from apps.core.exceptions import Problem
from apps.servers import paths
from apps.servers.answers import whole_number
from apps.servers.host.commands import CHUNK, command_line, open_session
from apps.servers.host.exceptions import ConnectionLost
from apps.servers.host.sftp import LARGEST_FILE, MOST_NAMES, BoundedSFTPClient

if TYPE_CHECKING:
    from apps.servers.host.host import Host

Owner = tuple[int, int]
# Where Debian, Red Hat and Alpine keep the program. It is started by us where the user has to become root first.
_START_SFTP = """for program in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server \
/usr/libexec/sftp-server /usr/lib/sftp-server; do [ -x "$program" ] && exec "$program"; done; exit 127"""
SFTP_SECONDS = 60


class Files:
    """The file system of a server, with the rights of root. Paths are absolute. Every method raises ConnectionLost,
    or Problem `servers.file_not_found`, `servers.file_denied`, `servers.disk_full`, `servers.no_sftp`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._client: BoundedSFTPClient | None = None
        self._lock = threading.RLock()

    def write(self, path: PurePath | str, content: bytes | str, mode: int = 0o600, owner: Owner | None = None) -> None:
        """Writes a file aside and renames it, so that a reader sees the old content or the new. `mode` and `owner`
        (user and group number) hold from before the first byte."""
        data = content.encode() if isinstance(content, str) else content
        aside = _aside(path)
        with self._sftp(path) as sftp:
            try:
                with sftp.open(aside, "wx") as file:
                    file.set_pipelined(True)
                    sftp.chmod(aside, mode)
                    if owner is not None:
                        sftp.chown(aside, *owner)
                    file.write(data)
                sftp.posix_rename(aside, str(path))
            except BaseException:
                with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                    sftp.remove(aside)
                raise

    def write_if_changed(
        self, path: PurePath | str, content: bytes | str, mode: int = 0o600, owner: Owner | None = None
    ) -> bool:
        """Writes only where the content or the mode differ; True when it wrote."""
        data = content.encode() if isinstance(content, str) else content
        found = self.status(path)
        if found is not None and stat.S_IMODE(found.st_mode or 0) == mode and found.st_size == len(data):
            same_owner = owner is None or (found.st_uid, found.st_gid) == owner
            if same_owner and self.read(path, largest=len(data)) == data:
                return False
        self.write(path, data, mode, owner)
        return True

    def read(self, path: PurePath | str, largest: int = LARGEST_FILE) -> bytes:
        """The content of a file, whole. Raises Problem `servers.file_too_large` beyond `largest` bytes."""
        with self._sftp(path) as sftp:
            content = sftp.read_bounded(str(path), largest)
        if content is None:
            raise Problem("servers.file_too_large", path=path, kilobytes=largest // 1024)
        return content

    def status(self, path: PurePath | str) -> paramiko.SFTPAttributes | None:
        """Size, mode, owner and times, links followed; None where nothing is."""
        with self._sftp(path) as sftp:
            try:
                return sftp.stat(str(path))
            except FileNotFoundError:
                return None

    def exists(self, path: PurePath | str) -> bool:
        return self.status(path) is not None

    def list(self, path: PurePath | str) -> list[str]:
        """The names in a folder, sorted. Raises Problem `servers.too_many_files`."""
        with self._sftp(path) as sftp:
            names = sftp.list_bounded(str(path), MOST_NAMES)
            if names is None:
                self.close()
                raise Problem("servers.too_many_files", path=path, most=MOST_NAMES)
            return sorted(names)

    def make_directory(self, path: PurePath | str, mode: int = 0o755, owner: Owner | None = None) -> bool:
        """Makes a folder (with the folders above it) unless it is there; True when it was made. `mode` and `owner`
        are set either way, on the folder itself only."""
        path = PurePath(path)
        with self._sftp(path) as sftp:
            missing = [part for part in (*reversed(path.parents), path) if not _is_there(sftp, str(part))]
            for part in missing:
                # Two tasks may make the same folder at once.
                with contextlib.suppress(OSError):
                    sftp.mkdir(str(part), 0o755)
            found = sftp.stat(str(path))
            if stat.S_IMODE(found.st_mode or 0) != mode:
                sftp.chmod(str(path), mode)
            if owner is not None and (found.st_uid, found.st_gid) != owner:
                sftp.chown(str(path), *owner)
        return path in missing

    def rename(self, old: PurePath | str, new: PurePath | str) -> None:
        """Renames within one file system; a file at `new` is replaced, a folder is not."""
        with self._sftp(old) as sftp:
            sftp.posix_rename(str(old), str(new))

    def remove(self, path: PurePath | str) -> bool:
        """Removes one file; True when it was there."""
        with self._sftp(path) as sftp:
            try:
                sftp.remove(str(path))
            except FileNotFoundError:
                return False
        return True

    def remove_tree(self, path: PurePath | str) -> None:
        """Removes a folder with everything in it. Refuses (ValueError) whatever does not lie two levels below our
        own root: a wrong path must not cost a server."""
        path = PurePath(path)
        if ".." in path.parts or not path.is_relative_to(paths.ROOT) or len(path.relative_to(paths.ROOT).parts) < 2:
            raise ValueError(f"{path} is not to be removed as a whole.")
        self._host.run(["rm", "-rf", "--one-file-system", "--", path], timeout=900)

    def free_megabytes(self, path: PurePath | str) -> int:
        """Free disk space for data under `path` (the nearest folder that exists)."""
        script = 'path=$1; while [ ! -e "$path" ]; do path=${path%/*}; path=${path:-/}; done; df -Pk "$path"'
        words = self._host.run_script(script, path).stdout.split()
        return whole_number(words[-3] if len(words) >= 3 else "") // 1024

    def upload_tree(
        self,
        local_directory: Path,
        remote_directory: PurePath | str,
        owner: Owner = (0, 0),
        timeout: float = 900,
        run: Any = None,
    ) -> None:
        """Sends a folder as one tar stream; it appears under its name when it is complete, and replaces what was
        there. Links pointing out of the folder stay links and are not followed."""
        aside, gone = _aside(remote_directory), _aside(remote_directory)
        self.make_directory(PurePath(remote_directory).parent)
        self._host.run(["mkdir", "-m", "0755", aside])
        try:
            self._send_archive(local_directory, aside, owner, timeout, run)
            swap = '[ ! -e "$2" ] || mv -T "$2" "$3" && mv -T "$1" "$2" && rm -rf -- "$3"'
            self._host.run_script(swap, aside, remote_directory, gone, timeout=timeout)
        except BaseException:
            with contextlib.suppress(Problem):
                self._host.run(["rm", "-rf", "--", aside], timeout=timeout)
            raise

    def _send_archive(self, local: Path, remote: str, owner: Owner, timeout: float, run: Any) -> None:
        def prepared(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.uid, entry.gid, entry.uname, entry.gname = *owner, "", ""
            if run is not None:
                run.check()
            return entry

        extract = ["tar", "-x", "-C", remote, "-f", "-"]
        with (
            self._host.stream_into(extract, timeout=timeout) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as archive,
        ):
            archive.add(local, arcname=".", filter=prepared)

    @contextlib.contextmanager
    def _sftp(self, path: PurePath | str) -> Iterator[BoundedSFTPClient]:
        """The client, for one caller at a time, with failures told in our words."""
        with self._lock:
            try:
                if self._client is None:
                    self._client = self._open()
                yield self._client
            except FileNotFoundError as error:
                raise Problem("servers.file_not_found", path=path) from error
            except TimeoutError as error:
                raise self._lost("no answer") from error
            except OSError as error:
                self._raise_os_error(error, path)
            except (EOFError, paramiko.SSHException, paramiko.SFTPError, struct.error) as error:
                self.close()
                raise self._lost(error) from error

    def _raise_os_error(self, error: OSError, path: PurePath | str) -> None:
        transport_is_gone = not self._host.transport.is_active()
        if transport_is_gone or error.errno in (errno.EPIPE, errno.ECONNRESET) or "closed" in str(error):
            raise self._lost(error) from error
        # SFTP has one code for "failure" (draft-ietf-secsh-filexfer-02, section 7): ask the disk.
        if error.errno is None and self._host.disk_is_full(path):
            raise Problem("servers.disk_full", path=path) from error
        raise Problem("servers.file_denied", path=path, reason=error.strerror or error) from error

    def _lost(self, reason: object) -> ConnectionLost:
        self._client = None
        return ConnectionLost("servers.connection_lost", address=self._host.address, reason=reason)

    def _open(self) -> BoundedSFTPClient:
        channel = open_session(self._host.transport, self._host.address)
        channel.settimeout(SFTP_SECONDS)
        try:
            if self._host.is_root:
                channel.invoke_subsystem("sftp")
            else:
                channel.exec_command(command_line([*self._host.sudo, "sh", "-c", _START_SFTP]))
            return BoundedSFTPClient(channel)
        except (paramiko.SSHException, paramiko.SFTPError, EOFError) as error:
            channel.close()
            if self._host.transport.is_active():
                raise Problem("servers.no_sftp") from error
            raise

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


def _aside(path: PurePath | str) -> str:
    """A name in the same folder, hence on the same file system, that nobody else has."""
    path = PurePath(path)
    return str(path.with_name(f".{path.name}.{uuid.uuid4().hex}.part"))


def _is_there(sftp: paramiko.SFTPClient, path: str) -> bool:
    try:
        sftp.stat(path)
    except FileNotFoundError:
        return False
    return True
