"""SSH keys: made here, or pasted by a person. Nothing here touches the database or a server."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from apps.core.exceptions import Problem

SHORTEST_RSA = 2048
LONGEST_TEXT = 20_000
# OpenSSH knows these curves only (RFC 5656, section 10.1).
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_PARAMIKO = {
    Ed25519PrivateKey: paramiko.Ed25519Key,
    EllipticCurvePrivateKey: paramiko.ECDSAKey,
    RSAPrivateKey: paramiko.RSAKey,
}
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


@dataclass(frozen=True)
class KeyPair:
    """A private key in memory. `public_key` is the line for `authorized_keys`."""

    private: PrivateKey

    @property
    def public_key(self) -> str:
        encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        return self.private.public_key().public_bytes(encoding, form).decode()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    @property
    def private_text(self) -> str:
        """The private key in OpenSSH's format, not encrypted: encrypt it before storing it."""
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
        return self.private.private_bytes(encoding, form, serialization.NoEncryption()).decode()

    def for_paramiko(self) -> paramiko.PKey:
        """The same key as the SSH library takes it."""
        kind = next(kind for base, kind in _PARAMIKO.items() if isinstance(self.private, base))
        return kind.from_private_key(io.StringIO(self.private_text))


def fingerprint(public_key: str) -> str:
    """SHA-256 of a public key line (`type base64 …`), written as `ssh-keygen -l` writes it."""
    blob = base64.b64decode(public_key.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def generate() -> KeyPair:
    """A new ed25519 key pair."""
    return KeyPair(Ed25519PrivateKey.generate())


def parse(text: str, passphrase: str = "") -> KeyPair:
    """Reads a pasted private key in OpenSSH's or PEM format.

    Raises Problem `servers.key_unreadable`, `servers.key_is_public`, `servers.key_is_putty`,
    `servers.key_needs_passphrase`, `servers.key_wrong_passphrase`, `servers.key_unsupported` or `servers.key_weak`.
    """
    data = _normalized(text)
    private = _load(data, passphrase.encode() or None)
    if isinstance(private, RSAPrivateKey):
        if private.key_size < SHORTEST_RSA:
            raise Problem("servers.key_weak", bits=private.key_size, shortest=SHORTEST_RSA)
    elif isinstance(private, EllipticCurvePrivateKey):
        if private.curve.name not in _CURVES:
            raise Problem("servers.key_unsupported", kind=private.curve.name)
    elif not isinstance(private, Ed25519PrivateKey):
        raise Problem("servers.key_unsupported", kind=type(private).__name__.removesuffix("PrivateKey"))
    return KeyPair(private)


def _normalized(text: str) -> bytes:
    """Browsers send CRLF, people lose the last newline or indent the whole."""
    lines = [line.strip() for line in text.strip().splitlines()]
    first = lines[0] if lines else ""
    if first.startswith("PuTTY-User-Key-File"):
        raise Problem("servers.key_is_putty")
    if first.startswith(("ssh-", "ecdsa-", "-----BEGIN PUBLIC", "-----BEGIN RSA PUBLIC", "---- BEGIN SSH2 PUBLIC")):
        raise Problem("servers.key_is_public")
    if "PRIVATE KEY-----" not in first or len(text) > LONGEST_TEXT:
        raise Problem("servers.key_unreadable")
    return ("\n".join(lines) + "\n").encode()


def _load(data: bytes, passphrase: bytes | None) -> object:
    is_openssh = data.startswith(b"-----BEGIN OPENSSH")
    load = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        return load(data, passphrase)
    except TypeError as error:
        if passphrase is None:
            raise Problem("servers.key_needs_passphrase") from error
        # A passphrase was given for a key that has none: harmless.
        return _load(data, None)
    except UnsupportedAlgorithm as error:
        raise Problem("servers.key_unsupported", kind=str(error)[:100]) from error
    except ValueError as error:
        if passphrase is not None and _is_encrypted(load, data):
            raise Problem("servers.key_wrong_passphrase") from error
        raise Problem("servers.key_unreadable") from error


def _is_encrypted(load, data: bytes) -> bool:
    try:
        load(data, None)
    except TypeError:
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return False
