"""Signs in whoever brings a ticket.

A ticket is a file that the platform has written into Odoo's data folder over SSH, named by the SHA-256 of a random
token of 256 bits; the person's browser brings the token. Taking a ticket is renaming its file, which only one of
several workers can do, so that it works once; after 60 seconds it does not work at all. There is no lasting secret that
could leak: whoever can write tickets can write into Odoo's data folder anyway.
"""

import hashlib
import inspect
import json
import logging
import os
import re
import time

import odoo
from odoo import http
from odoo.http import request
from odoo.modules.registry import Registry

_logger = logging.getLogger(__name__)
LIFETIME = 60
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class OecshLogin(http.Controller):
    @http.route("/oecsh/login", type="http", auth="none", methods=["GET"], csrf=False, save_session=True)
    def login(self, token="", **_ignored):
        ticket = take_ticket(token)
        database = ticket and ticket.get("database")
        if not database:
            return _refuse()
        open_session(database, ticket["login"])
        response = _redirect("/web")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def take_ticket(token):
    """The ticket that belongs to the token, taken away at once; None where there is none, or it is too old."""
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        return None
    folder = os.path.join(odoo.tools.config["data_dir"], "oecsh_login")
    path = os.path.join(folder, hashlib.sha256(token.encode()).hexdigest())
    taken = f"{path}.{os.getpid()}.taken"
    try:
        os.rename(path, taken)
    except OSError:
        return None
    try:
        age = time.time() - os.stat(taken).st_mtime
        with open(taken, encoding="utf-8") as file:
            ticket = json.load(file)
    finally:
        os.unlink(taken)
    return ticket if -5 <= age <= LIFETIME else None


def open_session(database, login):
    """Makes the visitor's session one of the user, with a new session id, as a sign-in by password does."""
    with Registry(database).cursor() as cursor:
        environment = odoo.api.Environment(cursor, odoo.SUPERUSER_ID, {})
        user = environment["res.users"].search([("login", "=", login), ("active", "=", True)], limit=1)
        if not user:
            raise request.not_found()
        session = request.session
        session.logout(keep_db=False)
        session.db = database
        if len(inspect.signature(session.finalize).parameters) == 1:
            # Odoo 16 and later: what `Session.authenticate` does after the password was accepted.
            session["pre_login"] = user.login
            session["pre_uid"] = user.id
            session.finalize(environment(user=user.id))
        else:
            # Odoo 14 and 15, which take the environment of the request.
            session.login = user.login
            session.pre_uid = user.id
            request.disable_db = False
            session.finalize()
        _logger.info("Session opened for %s by a one-use link of the platform", login)


def _refuse():
    response = request.make_response(
        "This link has been used, or is older than 60 seconds. Open Odoo again from the platform.",
        headers=[("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")],
    )
    response.status_code = 403
    return response


def _redirect(address):
    """Odoo 14 has the function in werkzeug's place."""
    if hasattr(request, "redirect"):
        return request.redirect(address)
    import werkzeug.utils

    return werkzeug.utils.redirect(address)
