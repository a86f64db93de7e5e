"""Our side of ACME (RFC 8555), on the library `acme`: one directory, our account there, one order at a time."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from typing import Any

import certifi
import josepy
from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from urllib3.util.retry import Retry

from apps.core import outgoing
from apps.core.exceptions import Problem
from apps.domains.acme_accounts import account_for, forget_address, remember_address
from apps.domains.acme_errors import in_our_words, validation_failure, words_of
from apps.domains.challenges import Solver, Task
from apps.domains.models import AcmeAccount
from apps.domains.order_failures import OrderFailed
from apps.domains.progress import Progress, quiet

SECONDS_PER_REQUEST = 20
SECONDS_FOR_VALIDATION = 180
SECONDS_FOR_ISSUING = 180
NONCE_TRIES = 6
_RETRIED = Retry(total=4, connect=4, read=0, status=3, status_forcelist=[502, 503, 504], backoff_factor=0.5)


@dataclass(frozen=True)
class Issued:
    """A fresh certificate: the private key and the chain (the leaf first), both PEM; the order's URL."""

    private_key: str
    chain: str
    address: str


def order_certificate(
    names: list[str], solver: Solver, *, directory_url: str, run: Progress = quiet, on_order: Any = None
) -> Issued:
    """Orders one certificate for all names and proves them by the solver's challenge.

    `on_order(url)` is called once the authority has taken the order. What the solver set up is removed in any case,
    also when `run` stops the work. Raises Problem `domains.acme_*`, `domains.validation_failed` (OrderFailed, in the
    authority's own words), `domains.order_too_slow`, and what the solver raises.
    """
    with in_our_words(directory_url):
        authority = Authority(directory_url)
        authority.sign_in(run)
        key = ec.generate_private_key(ec.SECP256R1())
        private_key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        request = crypto_util.make_csr(private_key, names)
        run.check()
        order = authority.client.new_order(request)
        if on_order is not None:
            on_order(order.uri)
        run.info(f"The certificate authority took the order {order.uri}.")
        try:
            authority.prove(order, solver, run)
        finally:
            solver.clean_up()
        chain = authority.finish(order, run)
    return Issued(private_key.decode(), chain, order.uri)


class _Network(client.ClientNetwork):
    """The library's network with more patience for stale nonces, of which a busy authority has many, and with the
    authority's own root certificates besides the usual ones."""

    def __init__(self, key: josepy.JWK) -> None:
        super().__init__(key, alg=josepy.ES256, user_agent="oecsh", timeout=SECONDS_PER_REQUEST)
        self.session.close()
        self.session = outgoing.session(seconds=SECONDS_PER_REQUEST, retries=_RETRIED, context=_trusted())

    def post(self, *args: Any, **kwargs: Any) -> Any:
        """Tries again with a fresh nonce as often as RFC 8555, section 6.5, lets the authority refuse one."""
        for attempt in range(NONCE_TRIES):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce" or attempt == NONCE_TRIES - 1:
                    raise
                self._nonces.clear()
        raise AssertionError


def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    if settings.ACME_CA_FILE:
        try:
            context.load_verify_locations(settings.ACME_CA_FILE)
        except (OSError, ssl.SSLError) as error:
            raise Problem("domains.ca_file_unreadable", words=error) from error
    return context


class Authority:
    """One directory, and our account there. The library's exceptions come through; see `acme_errors.in_our_words`."""

    def __init__(self, directory_url: str) -> None:
        self.directory_url = directory_url
        self.account: AcmeAccount = account_for(directory_url)
        loaded = serialization.load_pem_private_key(self.account.private_key.encode(), None)
        self.key = josepy.JWKEC(key=loaded)
        self.network = _Network(self.key)
        directory = client.ClientV2.get_directory(directory_url, self.network)
        self.client = client.ClientV2(directory, self.network)

    def sign_in(self, run: Progress) -> None:
        """Uses the account; registers it first where the authority does not know it (yet, or any more)."""
        if self.account.address:
            known = messages.RegistrationResource(uri=self.account.address, body=messages.Registration())
            try:
                self.client.query_registration(known)
                return
            except messages.Error as error:
                if error.code != "accountDoesNotExist":
                    raise
                forget_address(self.account)
                self.network.account = None
        run.info(f"Registering at {self.directory_url}.")
        wanted = messages.NewRegistration.from_data(email=self.account.contact or None, terms_of_service_agreed=True)
        try:
            registered = self.client.new_account(wanted)
        except errors.ConflictError as conflict:
            # Another process was faster with the same key.
            known = messages.RegistrationResource(uri=conflict.location, body=messages.Registration())
            registered = self.client.query_registration(known)
        remember_address(self.account, registered.uri)

    def prove(self, order: messages.OrderResource, solver: Solver, run: Progress) -> None:
        """Sets up a challenge for each name, has it checked by us, then by the authority."""
        chosen = []
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue
            challenge = self._choose(authorization, solver)
            chosen.append((authorization, challenge))
            solver.prepare(self._task(authorization, challenge))
        if not chosen:
            run.info("The authority still remembers that these names are ours.")
            return
        solver.wait_until_ready(run)
        for _, challenge in chosen:
            self.client.answer_challenge(challenge, challenge.response(self.key))
        self._wait_for_validation([authorization for authorization, _ in chosen], run)

    def _choose(self, authorization: messages.AuthorizationResource, solver: Solver) -> messages.ChallengeBody:
        name = authorization.body.identifier.value
        for challenge in authorization.body.challenges:
            if challenge.chall.typ == solver.challenge_type:
                return challenge
        offered = ", ".join(challenge.chall.typ for challenge in authorization.body.challenges)
        words = f"for {name} it offers only {offered or 'nothing'}, not {solver.challenge_type}"
        raise OrderFailed.of("domains.acme_refused", words=words)

    def _task(self, authorization: messages.AuthorizationResource, challenge: messages.ChallengeBody) -> Task:
        chall = challenge.chall
        validation = chall.validation(self.key)
        token = chall.encode("token") if isinstance(chall, challenges.HTTP01) else ""
        return Task(name=authorization.body.identifier.value, token=token, validation=validation)

    def _wait_for_validation(self, waiting: list[messages.AuthorizationResource], run: Progress) -> None:
        deadline = time.monotonic() + SECONDS_FOR_VALIDATION
        pause = 0.25
        while waiting:
            run.sleep(pause)
            pause = min(pause * 1.5, 5.0)
            seen = [self.client.poll(authorization)[0] for authorization in waiting]
            failed = [entry for entry in seen if entry.body.status not in _UNDECIDED | {messages.STATUS_VALID}]
            if failed:
                raise validation_failure(failed)
            waiting = [entry for entry in seen if entry.body.status in _UNDECIDED]
            if waiting and time.monotonic() > deadline:
                raise Problem("domains.order_too_slow", seconds=SECONDS_FOR_VALIDATION)
        run.info("The authority has validated every name.")

    def finish(self, order: messages.OrderResource, run: Progress) -> str:
        """Sends the certificate request and waits for the chain."""
        deadline = time.monotonic() + SECONDS_FOR_ISSUING
        pause = 0.25
        requested = False
        while True:
            body = messages.Order.from_json(self._read(order.uri).json())
            if body.status == messages.STATUS_VALID and body.certificate:
                return self._read(body.certificate).text
            if body.status == messages.STATUS_INVALID:
                words = words_of(body.error) if body.error else "the order became invalid without a reason"
                raise OrderFailed.of("domains.acme_refused", words=words)
            if body.status == messages.STATUS_READY and not requested:
                self.client.begin_finalization(order)
                requested = True
            elif time.monotonic() > deadline:
                raise Problem("domains.order_too_slow", seconds=SECONDS_FOR_ISSUING)
            else:
                run.sleep(pause)
                pause = min(pause * 1.5, 5.0)

    def _read(self, address: str) -> Any:
        """POST-as-GET (RFC 8555, section 6.3)."""
        return self.network.post(address, None, new_nonce_url=self.client.directory["newNonce"])


_UNDECIDED = {messages.STATUS_PENDING, messages.STATUS_PROCESSING}
