"""The process behind `MailSink`: an SMTP server that keeps everything, and a page to read it.

python -m tests.lab.mail_sink MAILDIR ADDRESS SMTP_PORT WEB_PORT
"""

from __future__ import annotations

import argparse
import email.message
import email.policy
import html
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mail</title>
<style>body{{font:1rem/1.5 sans-serif;max-width:50rem;margin:2rem auto}}pre{{white-space:pre-wrap}}</style>
<h1>{title}</h1>{body}</html>"""


def read_messages(directory: Path) -> list[tuple[str, email.message.EmailMessage]]:
    """File names and messages of a maildir, newest first."""
    files = [file for folder in ("new", "cur") for file in (directory / folder).glob("*")]
    found = []
    for file in sorted(files, key=lambda file: file.stat().st_mtime_ns, reverse=True):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        found.append((file.name, message))
    return found


def plain_text(message: email.message.EmailMessage) -> str:
    """What the message says, as text."""
    body = message.get_body(preferencelist=("plain", "html"))
    return body.get_content() if body is not None else ""


class Pages(BaseHTTPRequestHandler):
    directory: Path

    def do_GET(self) -> None:
        name = self.path.strip("/")
        messages = read_messages(self.directory)
        if not name:
            self._send("Mail", "".join(map(_row, messages)) or "<p>No message yet.</p>")
            return
        for known, message in messages:
            if known == name:
                self._send(str(message["Subject"]), f"<pre>{html.escape(plain_text(message))}</pre>")
                return
        self.send_error(404)

    def _send(self, title: str, body: str) -> None:
        content = PAGE.format(title=html.escape(title), body=body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _row(item: tuple[str, email.message.EmailMessage]) -> str:
    name, message = item
    subject, to, date = (html.escape(str(message[field] or "")) for field in ("Subject", "To", "Date"))
    return f'<p><a href="/{html.escape(name)}">{subject or "(no subject)"}</a><br>{to}, {date}</p>'


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("address")
    parser.add_argument("smtp_port", type=int)
    parser.add_argument("web_port", type=int)
    arguments = parser.parse_args()
    Pages.directory = arguments.directory
    Controller(Mailbox(arguments.directory), hostname=arguments.address, port=arguments.smtp_port).start()
    ThreadingHTTPServer((arguments.address, arguments.web_port), Pages).serve_forever()


if __name__ == "__main__":
    main()
