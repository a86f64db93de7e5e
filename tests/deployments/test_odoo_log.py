"""What is read out of Odoo's own lines."""

from __future__ import annotations

from apps.deployments import odoo_log

PREFIX = "2026-11-21 23:20:31,124 1 {} shop {}: {}"
CRITICAL = PREFIX.format("CRITICAL", "odoo.modules.module", "Couldn't load module shop")
TRACEBACK = """Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/odoo/modules/module.py", line 384, in load_openerp_module
    __import__(qualname)
  File "/mnt/addons/shop/models/note.py", line 15
    def wrong(self:
             ^
SyntaxError: '(' was never closed""".splitlines()


def test_lines_have_odoos_levels_and_tracebacks_that_of_their_beginning() -> None:
    read = odoo_log.LevelReader()
    levels = [
        read(PREFIX.format("INFO", "odoo", "Odoo version 19.0")),
        read("something without a head"),
        read(PREFIX.format("WARNING", "odoo.tools.config", "deprecated")),
        read(CRITICAL),
        *map(read, TRACEBACK),
        read(PREFIX.format("INFO", "odoo", "Initiating shutdown")),
    ]
    assert levels == ["INFO", "INFO", "WARNING", "ERROR", *["ERROR"] * len(TRACEBACK), "INFO"]


def test_the_reason_is_the_exception_at_the_end() -> None:
    assert odoo_log.reason([CRITICAL, *TRACEBACK]) == "SyntaxError: '(' was never closed."


def test_a_dotted_exception_is_a_reason_too() -> None:
    lines = [*TRACEBACK, "odoo.exceptions.UserError: You try to install module 'a' that depends on module 'b'."]
    assert odoo_log.reason(lines).startswith("odoo.exceptions.UserError: You try to install")


def test_without_an_exception_the_last_error_is_the_reason() -> None:
    lines = [PREFIX.format("ERROR", "odoo.modules.loading", "Some modules are not loaded: ['shop']")]
    assert odoo_log.reason(lines) == "Some modules are not loaded: ['shop']."


def test_nothing_said_no_reason() -> None:
    assert odoo_log.reason([]) == ""


def test_errors_of_the_loader_are_fatal_and_others_are_not() -> None:
    assert odoo_log.is_fatal(CRITICAL)
    assert odoo_log.is_fatal(PREFIX.format("ERROR", "odoo.modules.loading", "Some modules are not loaded"))
    assert not odoo_log.is_fatal(PREFIX.format("ERROR", "odoo.addons.mail", "a queue is down"))
    assert not odoo_log.is_fatal("SyntaxError: never")


def test_a_reason_goes_on_over_its_lines() -> None:
    lines = [
        *TRACEBACK[:2],
        "odoo.tools.convert.ParseError: while parsing /mnt/addons/shop/views/note_views.xml:3",
        "Error while validating view near:",
        "",
        '<form><field name="no_such_field"/></form>',
        'Field "no_such_field" does not exist in model "shop.note"',
        PREFIX.format("INFO", "odoo", "Initiating shutdown"),
        "not any more",
    ]
    found = odoo_log.reason(lines)
    assert found.startswith("odoo.tools.convert.ParseError: while parsing")
    assert found.endswith('Field "no_such_field" does not exist in model "shop.note".')
