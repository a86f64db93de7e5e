"""start.py ARGUMENTS: starts Odoo as its own program does, with the slow part done beforehand.

Importing what Odoo is made of takes a second of a processor and needs no database. So the container starts while its
database is still being prepared, imports, and waits until the platform puts the file GATE beside the configuration.
Then the image's own program `odoo` runs in this process with everything loaded. Where that program is not Python, or
anything here goes wrong, it is started in the plain way; the gate holds either way.
"""

import importlib
import os
import runpy
import shlex
import shutil
import signal
import sys
import time

GATE = "/etc/odoo/ready"
STARTED = "OECSH_STARTED_BY"
# Odoo's core, and what its base modules import: the order does not matter, what is missing is left out.
MODULES = """
odoo odoo.http odoo.cli.server odoo.service.server odoo.service.db odoo.modules.loading odoo.modules.registry odoo.tools
asn1crypto.core babel.dates bs4 cbor2 chardet decorator docutils.core email.headerregistry html2text imaplib jinja2
lxml.etree lxml.html magic num2words odf.opendocument OpenSSL.crypto passlib.context PIL.Image PIL.ImageDraw
PIL.ImageFont PIL.ImageOps poplib psutil psycopg2 pypdf PyPDF2 qrcode reportlab.graphics.barcode requests rjsmin sass
slugify smtplib unidecode unittest vobject werkzeug.routing
""".split()


def main():
    program = shutil.which("odoo")
    if program is None:
        sys.exit("There is no program odoo in this image.")
    interpreter = interpreter_of(program)
    if interpreter is None:
        wait_for_gate()
        os.execv(program, [program, *sys.argv[1:]])
    if interpreter != sys.executable and STARTED not in os.environ:
        # In a virtual environment another Python has Odoo's packages.
        os.environ[STARTED] = sys.executable
        os.execv(interpreter, [interpreter, os.path.abspath(__file__), *sys.argv[1:]])
    os.environ.pop(STARTED, None)
    # As Odoo's own program has it, before anything looks at the time.
    os.environ["TZ"] = "UTC"
    sys.argv[0] = program
    sys.path[0] = os.path.dirname(program)
    for name in MODULES:
        try:
            importlib.import_module(name)
        except Exception as error:
            # Odoo itself says what it misses.
            del error
    wait_for_gate()
    runpy.run_path(program, run_name="__main__")


def interpreter_of(program):
    """The Python that the program's first line names; None where it is not a Python program."""
    with open(program, "rb") as file:
        first = file.readline(200).decode(errors="replace")
    words = shlex.split(first[2:]) if first.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [shutil.which(word) or "" for word in words[1:] if not word.startswith("-")]
    return words[0] if words and "python" in os.path.basename(words[0]) else None


def wait_for_gate():
    """Waits as long as it takes. As the first process of a container it would not be ended by a signal otherwise."""
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while not os.path.exists(GATE):
        time.sleep(0.01)
    signal.signal(signal.SIGTERM, previous)


main()
