"""Keys of the lab, all made when they are needed and kept nowhere but in the lab's folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import execute


@dataclass(frozen=True)
class KeyPair:
    """An SSH key pair as text: private in OpenSSH's own format, public as one line of `authorized_keys`."""

    private_key: str
    public_key: str


def ensure_key_pair(file: Path, *, kind: str = "ed25519", comment: str = "lab") -> KeyPair:
    """The key pair in `file` and `file.pub` (without passphrase), made when missing."""
    public = file.with_name(f"{file.name}.pub")
    if not (file.exists() and public.exists()):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        execute(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", file])
    return KeyPair(file.read_text(), public.read_text().strip())


def fingerprint(public_key_file: Path) -> str:
    """Fingerprint of a public key file as OpenSSH shows it: `SHA256:` and base64."""
    return execute(["ssh-keygen", "-l", "-E", "sha256", "-f", public_key_file]).stdout.split()[1]
