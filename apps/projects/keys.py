"""Deploy keys: made here, so that the private half is never typed or copied."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


def generate(comment: str) -> tuple[str, str]:
    """A new ed25519 pair as OpenSSH writes it: the private key and the line for the Git server."""
    private = ed25519.Ed25519PrivateKey.generate()
    encoding = serialization.Encoding.PEM
    layout = serialization.PrivateFormat.OpenSSH
    pem = private.private_bytes(encoding, layout, serialization.NoEncryption()).decode()
    public = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return pem, f"{public.decode()} {comment}"


def fingerprint(line: str) -> str:
    """SHA256:… of a public key, or of a line of known_hosts, as ssh-keygen prints it; empty when it is neither."""
    for word in line.split():
        if word.startswith("AAAA"):
            digest = hashlib.sha256(base64.b64decode(word)).digest()
            return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    return ""
