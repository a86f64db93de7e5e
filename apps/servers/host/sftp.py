"""SFTP with limits: the library takes answers of any length, and lists for as long as the server goes on."""

from __future__ import annotations

import itertools

import paramiko

# As OpenSSH has it (SFTP_MAX_MSG_LENGTH in sftp-common.h).
LARGEST_MESSAGE = 256 * 1024
# A read ahead holds an answer for each 32 KB of it, and an answer may be as long as a message.
LARGEST_FILE = 4 * 1024 * 1024
MOST_NAMES = 50_000
_READ_AHEAD_FROM = 64 * 1024
# What the library asks for at most in one question.
_PIECE = 32 * 1024


class BoundedSFTPClient(paramiko.SFTPClient):
    """Raises SSHException for an answer that is longer than any that a server has to give."""

    def _read_all(self, n: int) -> bytes:
        if n > LARGEST_MESSAGE:
            raise paramiko.SSHException(f"an answer of {n} bytes was announced")
        return super()._read_all(n)

    def read_bounded(self, path: str, largest: int) -> bytes | None:
        """The content of a file; None where it has more than `largest` bytes, whatever the server says of its size."""
        with self.open(path, "rb") as file:
            # Files of the kernel say that they are empty: asking ahead for nothing would end there.
            size = file.stat().st_size or 0
            if size > largest:
                return None
            if size > _READ_AHEAD_FROM:
                file.prefetch(size)
            # In pieces: asked for all at once, the library copies what it has with each answer.
            content = bytearray()
            while len(content) <= largest and (piece := file.read(_PIECE)):
                content += piece
        return None if len(content) > largest else bytes(content)

    def list_bounded(self, path: str, most: int) -> list[str] | None:
        """The names in a folder; None where there are more than `most`, and then this client is of no more use."""
        # Questions asked ahead are answered ahead: a few are enough.
        entries = itertools.islice(self.listdir_iter(path, read_aheads=4), most + 1)
        names = [entry.filename for entry in entries]
        return None if len(names) > most else names
