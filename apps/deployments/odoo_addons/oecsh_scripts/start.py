"""start.py ARGUMENTS: starts Odoo as its own program does, with the slow part done beforehand.

Importing what Odoo is made of takes a second of a processor and needs no database. So the container starts while its
database is still being prepared: the image's own program `odoo` runs in this process, and whatever asks for a
connection waits until the platform puts the file GATE beside the configuration. Where workers run, Odoo serves
websockets by a second interpreter, which it would start last and which imports everything once more: that one is
begun here as well, beside the first, and Odoo is given it when it would start its own.

Where the program `odoo` is not Python, or anything here goes wrong, it is started in the plain way; the gate holds
either way.
"""

import configparser
import importlib
import os
import runpy
import shlex
import shutil
import signal
import sys
import threading
import time

GATE = "/etc/odoo/ready"
STARTED = "OECSH_STARTED_BY"
# What Odoo's base modules import; the order does not matter, what is missing is left out. These open no socket, not
# even by importing `socket` or `ssl`: so both interpreters can share them, whatever `odoo gevent` replaces later.
LIBRARIES = """
babel.dates bs4 cbor2 chardet docutils.core jinja2 lxml.etree lxml.html magic num2words passlib.context PIL.Image
PIL.ImageDraw PIL.ImageFont PIL.ImageOps pypdf PyPDF2 pytz qrcode rjsmin sass slugify unidecode
""".split()
# Odoo's core, and the rest, once for each.
MODULES = """
odoo odoo.http odoo.cli.server odoo.service.server odoo.service.db odoo.modules.loading odoo.modules.registry odoo.tools
asn1crypto.core decorator email.headerregistry html2text imaplib odf.opendocument OpenSSL.crypto poplib psutil psycopg2
reportlab.graphics.barcode requests smtplib unittest vobject werkzeug.routing
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
    import_all(LIBRARIES)
    companion = begin_companion() if has_workers() else None
    if companion == 0:
        sys.argv.insert(1, "gevent")
        # This is where Odoo replaces sockets and threads (from 19 on in `odoo.init`), before anything takes them.
        import_all(["odoo", "odoo.init"])
    hold_connections()
    import_all(MODULES)
    if companion:
        offer(companion)
    runpy.run_path(program, run_name="__main__")


def interpreter_of(program):
    """The Python that the program's first line names; None where it is not a Python program."""
    with open(program, "rb") as file:
        first = file.readline(200).decode(errors="replace")
    words = shlex.split(first[2:]) if first.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [shutil.which(word) or "" for word in words[1:] if not word.startswith("-")]
    return words[0] if words and "python" in os.path.basename(words[0]) else None


def import_all(names):
    """Imports what there is of it."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            # Odoo itself says what it misses.
            del error


def has_workers():
    """True where the configuration asks for worker processes."""
    paths = [word.partition("=")[2] for word in sys.argv if word.startswith("--config=")]
    reader = configparser.RawConfigParser()
    try:
        return bool(reader.read(paths)) and reader.getint("options", "workers", fallback=0) > 0
    except (OSError, ValueError, configparser.Error):
        return False


def begin_companion():
    """The process that is to serve websockets; 0 in that process itself."""
    try:
        return os.fork()
    except OSError:
        return None


def offer(companion):
    """Odoo takes the companion, once, instead of starting the same program; whatever comes later it starts itself."""
    try:
        from odoo.service.server import PreforkServer

        own = PreforkServer.long_polling_spawn
    except (ImportError, AttributeError):
        os.kill(companion, signal.SIGKILL)
        return

    def take(server):
        PreforkServer.long_polling_spawn = own
        try:
            is_there = os.waitpid(companion, os.WNOHANG) == (0, 0)
        except ChildProcessError:
            # It has died, and Odoo has taken notice of it already.
            is_there = False
        if is_there:
            server.long_polling_pid = companion
        else:
            own(server)

    PreforkServer.long_polling_spawn = take


def hold_connections():
    """Whoever asks for the database waits at the gate: Odoo's core opens every connection by this function."""
    try:
        import psycopg2
    except ImportError:
        wait_for_gate()
        return
    connect = psycopg2.connect

    def wait_and_connect(*arguments, **options):
        wait_for_gate()
        psycopg2.connect = connect
        return connect(*arguments, **options)

    psycopg2.connect = wait_and_connect


def wait_for_gate():
    """Waits as long as it takes. As the first process of a container it would not be ended by a signal otherwise."""
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, lambda *_: os._exit(0)) if is_main else None
    while not os.path.exists(GATE):
        time.sleep(0.01)
    if is_main:
        signal.signal(signal.SIGTERM, previous)


main()
