"""Keys that people paste: every kind and format that OpenSSH writes, and a clear word for all others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import Problem
from apps.servers import keys

PASSPHRASE = "correct horse"


def ssh_keygen(folder: Path, *options: str, passphrase: str = "") -> tuple[str, str]:
    """A key as OpenSSH makes it: private and public."""
    file = folder / f"key{len(list(folder.iterdir()))}"
    subprocess.run(["ssh-keygen", "-q", "-N", passphrase, "-f", file, *options], check=True)
    return file.read_text(), file.with_suffix(".pub").read_text()


def code_of(text: str, passphrase: str = "") -> str:
    with pytest.raises(Problem) as caught:
        keys.parse(text, passphrase)
    assert caught.value.title
    assert caught.value.what_to_do
    return caught.value.code


KINDS = {
    "ed25519": ["-t", "ed25519"],
    "ecdsa": ["-t", "ecdsa", "-b", "256"],
    "ecdsa-521": ["-t", "ecdsa", "-b", "521"],
    "rsa": ["-t", "rsa", "-b", "2048"],
    "ecdsa-pem": ["-t", "ecdsa", "-b", "384", "-m", "PEM"],
    "rsa-pem": ["-t", "rsa", "-b", "2048", "-m", "PEM"],
    "rsa-pkcs8": ["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
}


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_what_openssh_writes_is_read(tmp_path: Path, options: list[str], passphrase: str) -> None:
    private, public = ssh_keygen(tmp_path, *options, passphrase=passphrase)
    pair = keys.parse(private, passphrase)
    assert pair.public_key.split()[:2] == public.split()[:2]
    listed = subprocess.run(["ssh-keygen", "-lf", "-"], input=public, capture_output=True, text=True, check=True)
    assert pair.fingerprint == listed.stdout.split()[1]
    assert pair.for_paramiko().get_base64() == public.split()[1]


@pytest.mark.parametrize("options", [KINDS["ed25519"], KINDS["rsa-pem"], KINDS["rsa-pkcs8"]], ids=str)
def test_passphrases(tmp_path: Path, options: list[str]) -> None:
    private, _ = ssh_keygen(tmp_path, *options, passphrase=PASSPHRASE)
    assert code_of(private) == "servers.key_needs_passphrase"
    assert code_of(private, "wrong") == "servers.key_wrong_passphrase"
    plain, public = ssh_keygen(tmp_path, *options)
    assert keys.parse(plain, "not needed").public_key.split()[1] == public.split()[1]


def test_pasting_damages_what_does_not_matter(tmp_path: Path) -> None:
    private, public = ssh_keygen(tmp_path, "-t", "ed25519")
    for damaged in (private.replace("\n", "\r\n"), private.strip(), "\n\n  " + private.replace("\n", "\n  ")):
        assert keys.parse(damaged).public_key.split()[1] == public.split()[1]


def test_what_is_no_private_key(tmp_path: Path) -> None:
    private, public = ssh_keygen(tmp_path, "-t", "ed25519")
    assert code_of(public) == "servers.key_is_public"
    assert code_of("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none") == "servers.key_is_putty"
    assert code_of("") == "servers.key_unreadable"
    assert code_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----") == "servers.key_unreadable"
    half = "\n".join(private.splitlines()[:3])
    assert code_of(half) == "servers.key_unreadable"
    assert code_of(private + "x" * keys.LONGEST_TEXT) == "servers.key_unreadable"


def pem(private) -> str:
    form = serialization.PrivateFormat.PKCS8
    return private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_weak_and_strange_keys() -> None:
    assert code_of(pem(rsa.generate_private_key(65537, 1024))) == "servers.key_weak"  # noqa: S505
    assert code_of(pem(dsa.generate_private_key(1024))) == "servers.key_unsupported"  # noqa: S505
    assert code_of(pem(ed448.Ed448PrivateKey.generate())) == "servers.key_unsupported"
    assert code_of(pem(ec.generate_private_key(ec.SECP256K1()))) == "servers.key_unsupported"


def test_a_made_pair_is_openssh_s_own_format(tmp_path: Path) -> None:
    pair = keys.generate()
    file = tmp_path / "made"
    file.write_text(pair.private_text)
    file.chmod(0o600)
    told = subprocess.run(["ssh-keygen", "-y", "-f", file], capture_output=True, text=True, check=True).stdout
    assert told.split()[:2] == pair.public_key.split()
    assert keys.parse(pair.private_text).fingerprint == pair.fingerprint


def test_a_key_does_not_show_itself() -> None:
    pair = keys.generate()
    assert "PRIVATE" not in repr(pair)


@given(st.text(max_size=300))
def test_nonsense_is_told_and_never_breaks(text: str) -> None:
    assert code_of(text).startswith("servers.key_")


@given(st.binary(max_size=200))
def test_nonsense_between_the_right_lines(data: bytes) -> None:
    import base64

    for kind in ("OPENSSH ", "RSA ", ""):
        text = f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.b64encode(data).decode()}\n-----END {kind}PRIVATE KEY-----"
        assert code_of(text, "x").startswith("servers.key_")
