"""A certificate order with the `acme` library, for the lab's own tests: the shortest honest client."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import josepy
from acme import challenges, client, crypto_util, messages
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.lab.acme import AcmeServer

Answer = Callable[[str, str, str], None]
"""Called with the name, the challenge's token and the text to publish (DNS-01: the record; HTTP-01: the file)."""


def open_account(server: AcmeServer) -> client.ClientV2:
    """A new account at the server."""
    key = josepy.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
    network = client.ClientNetwork(key, alg=josepy.ES256)
    network.verify_ssl = str(server.https_root)  # type: ignore[assignment] # requests takes a file as well
    directory = client.ClientV2.get_directory(server.directory_url, network)
    account = client.ClientV2(directory, net=network)
    account.new_account(messages.NewRegistration.from_data(terms_of_service_agreed=True))
    return account


def order(account: client.ClientV2, names: list[str], kind: type, answer: Answer) -> x509.Certificate:
    """Order a certificate for `names` by one kind of challenge; raises acme's errors when validation fails."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    placed = account.new_order(crypto_util.make_csr(pem, names))
    for authorization in placed.authorizations:
        body = next(item for item in authorization.body.challenges if isinstance(item.chall, kind))
        name = authorization.body.identifier.value
        answer(name, body.chall.encode("token"), _text(body, account))
        account.answer_challenge(body, body.response(account.net.key))
    deadline = datetime.datetime.now() + datetime.timedelta(seconds=30)
    finished = account.poll_and_finalize(placed, deadline)
    return x509.load_pem_x509_certificate(finished.fullchain_pem.encode())


def _text(body: messages.ChallengeBody, account: client.ClientV2) -> str:
    return body.validation(account.net.key)


DNS_01, HTTP_01 = challenges.DNS01, challenges.HTTP01
