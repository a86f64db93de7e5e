"""The HTTP session for addresses that somebody gave us, against real servers on this machine."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.core import outgoing
from apps.core.exceptions import Problem


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["Host"], self.headers.get("Authorization")))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/slow-head":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200)
        elif self.path == "/slow-body":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
            self._drip(b"b" * 200)
        elif self.path == "/slow-chunk-size":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._drip(b"3;" + b"c" * 200)
        elif self.path == "/slow-trailer":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
            self._drip(b"X-Long: " + b"d" * 200)
        elif self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nshort")
            self.close_connection = True
        elif self.path == "/chunked":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n")
        else:
            body = b"x" * 5000 if self.path == "/large" else b'{"well": true}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_POST = do_GET

    def _drip(self, data):
        self.close_connection = True
        try:
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            return

    def log_message(self, *arguments):
        pass


def _serve(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads, server.asked = True, []
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def server(settings):
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8", "::1/128"]
    running = _serve()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_an_ordinary_answer_is_read(url):
    with outgoing.session(schemes=("http",)) as session:
        assert session.get(f"{url}/").json() == {"well": True}
        assert session.get(f"{url}/chunked").text == "one two"
        assert session.post(f"{url}/", json={"a": 1}).ok


def test_one_connection_serves_several_requests(url, monkeypatch):
    opened = []
    real = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda *given: opened.append(given[0]) or real(*given))
    with outgoing.session(schemes=("http",)) as session:
        for _ in range(3):
            session.get(f"{url}/")
    assert len(opened) == 1


def test_a_private_address_is_refused_when_connecting(settings, server, url):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with outgoing.session(schemes=("http",)) as session, pytest.raises(Problem) as caught:
        session.get(f"{url}/")
    assert caught.value.code == "core.address_not_allowed"
    assert server.asked == []


def test_webhooks_have_private_networks_of_their_own(settings, server, url):
    """What is open for servers and Git is not open for what tenants let the platform call, and the other way round."""
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    with outgoing.session(schemes=("http",), networks=outgoing.WEBHOOK_NETWORKS) as session:
        with pytest.raises(Problem) as caught:
            session.get(f"{url}/")
        assert "WEBHOOK_PRIVATE_NETWORKS" in caught.value.what_to_do
        assert server.asked == []
        settings.WEBHOOK_PRIVATE_NETWORKS, settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8"], []
        assert session.get(f"{url}/").ok
    with outgoing.session(schemes=("http",)) as session, pytest.raises(Problem) as caught:
        session.get(f"{url}/")
    assert "ALLOWED_PRIVATE_NETWORKS" in caught.value.what_to_do


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(settings, server, monkeypatch):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    answers = iter(["93.184.215.14", "127.0.0.1"])

    def resolve(host, port, *arguments, **named):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = f"http://rebinding.example.com:{server.server_port}/"
    assert outgoing.check_url(url, schemes=("http",)) == ["93.184.215.14"]
    with outgoing.session(schemes=("http",)) as session, pytest.raises(Problem) as caught:
        session.get(url)
    assert caught.value.code == "core.address_not_allowed"
    assert server.asked == []


def test_the_connection_goes_to_the_checked_address_and_says_the_name(server, monkeypatch):
    real = socket.getaddrinfo

    def resolve(host, port, *arguments, **named):
        return real("127.0.0.1" if host == "shop.example.com" else host, port, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with outgoing.session(schemes=("http",)) as session:
        assert session.get(f"http://shop.example.com:{server.server_port}/").ok
    assert server.asked == [("/", f"shop.example.com:{server.server_port}", None)]


def test_a_name_nobody_has_is_said_to_be_unknown():
    with outgoing.session() as session, pytest.raises(Problem) as caught:
        session.get("https://nobody.invalid/")
    assert caught.value.code == "core.address_unknown"


@pytest.mark.parametrize("asked", ["http://8.8.8.8/", "ftp://8.8.8.8/", "file:///etc/passwd", "nothing"])
def test_only_the_named_schemes(asked):
    with outgoing.session() as session, pytest.raises((Problem, requests.RequestException)):
        session.get(asked)


def test_redirects_are_answers(server, url):
    with outgoing.session(schemes=("http",)) as session:
        answer = session.get(f"{url}/moved", allow_redirects=True)
    assert answer.status_code == 302
    assert [path for path, *_ in server.asked] == ["/moved"]


def test_nothing_is_taken_from_the_environment(url, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password theirs\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    with outgoing.session(schemes=("http",)) as session:
        assert session.get(f"{url}/").ok


def test_large_answers_are_cut_off(url):
    with outgoing.session(schemes=("http",), largest=4999) as session, pytest.raises(outgoing.AnswerTooLarge):
        session.get(f"{url}/large")
    with outgoing.session(schemes=("http",), largest=5000) as session:
        assert len(session.get(f"{url}/large").content) == 5000


def test_a_stream_is_left_to_the_caller(url):
    with outgoing.session(schemes=("http",), largest=10) as session:
        answer = session.get(f"{url}/large", stream=True)
        assert len(outgoing.read_limited(answer, largest=5000)) == 5000
        with pytest.raises(outgoing.AnswerTooLarge):
            outgoing.read_limited(session.get(f"{url}/large", stream=True), largest=100)


@pytest.mark.parametrize("path", ["/slow-head", "/slow-body"])
def test_an_answer_byte_by_byte_does_not_hold_us(url, path):
    began = time.monotonic()
    with outgoing.session(schemes=("http",), seconds=0.5) as session, pytest.raises(requests.RequestException):
        session.get(f"{url}{path}")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["/slow-body", "/slow-chunk-size", "/slow-trailer"])
def test_a_body_that_took_too_long_is_told_from_one_that_ended(url, path):
    began = time.monotonic()
    with outgoing.session(schemes=("http",)) as session:
        answer = session.get(f"{url}{path}", stream=True)
        with pytest.raises(requests.ReadTimeout):
            outgoing.read_limited(answer, seconds=0.5)
    assert 0.5 <= time.monotonic() - began < 3


def test_an_answer_that_breaks_off_is_an_error(url):
    with outgoing.session(schemes=("http",)) as session, pytest.raises(requests.RequestException):
        session.get(f"{url}/cut")


def test_a_port_nobody_listens_on(settings):
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with outgoing.session(schemes=("http",)) as session, pytest.raises(requests.ConnectionError):
        session.get(f"http://127.0.0.1:{port}/")


def _certificate(tmp_path, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("name", ["shop.example.com", "other.example.com"])
def test_tls_is_checked_against_the_name_not_the_address(settings, tmp_path, monkeypatch, name):
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    file = _certificate(tmp_path, "shop.example.com")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    server = _serve(serving)
    real = socket.getaddrinfo

    def resolve(host, port, *arguments, **named):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            host = "127.0.0.1"
        return real(host, port, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    trusting = ssl.create_default_context(cafile=file)
    url = f"https://{name}:{server.server_port}/"
    try:
        with outgoing.session(context=trusting) as session:
            if name == "shop.example.com":
                assert session.get(url).json() == {"well": True}
            else:
                with pytest.raises(requests.exceptions.SSLError):
                    session.get(url)
        with outgoing.session() as session, pytest.raises(requests.exceptions.SSLError):
            session.get(url)
    finally:
        server.shutdown()
        server.server_close()
