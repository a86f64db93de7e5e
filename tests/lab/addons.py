"""A small Odoo module as files, valid from 14.0 to 19.0, and variants that Odoo refuses."""

from __future__ import annotations

import copy

DEMO = "oecsh_demo"

_MANIFEST = {
    "name": "Demo of a custom module",
    "summary": "Notes with a title and a done mark",
    "version": "1.0.0",
    "category": "Tools",
    "license": "LGPL-3",
    "author": "OEC.SH",
    "depends": ["base"],
    "data": ["security/ir.model.access.csv", "views/note_views.xml"],
    "installable": True,
    "application": True,
}

_MODEL = """\
from odoo import fields, models


class DemoNote(models.Model):
    _name = "{table}"
    _description = "Note of the demo"
    _order = "name"

    name = fields.Char(required=True)
    description = fields.Text()
    done = fields.Boolean()
"""

_ACCESS = """\
id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink
access_note,note,model_{model},base.group_user,1,1,1,1
"""

# Lists are called `tree` before 18.0 and `list` from then on; the kanban that Odoo makes for a model without one has
# the same name everywhere.
_VIEWS = """\
<?xml version="1.0" encoding="utf-8"?>
<odoo>
    <record id="note_form" model="ir.ui.view">
        <field name="name">{table}.form</field>
        <field name="model">{table}</field>
        <field name="arch" type="xml">
            <form>
                <sheet>
                    <group>
                        <field name="name"/>
                        <field name="done"/>
                        <field name="description"/>
                    </group>
                </sheet>
            </form>
        </field>
    </record>
    <record id="note_action" model="ir.actions.act_window">
        <field name="name">Demo notes</field>
        <field name="res_model">{table}</field>
        <field name="view_mode">kanban,form</field>
    </record>
    <menuitem id="note_menu_root" name="Demo notes" sequence="90"/>
    <menuitem id="note_menu" name="Notes" parent="note_menu_root" action="note_action"/>
</odoo>
"""


def odoo_module(name: str = DEMO, *, version: str = "1.0.0", depends: tuple[str, ...] = ("base",)) -> dict[str, str]:
    """Files of a module that installs on every Odoo from 14.0 to 19.0: a model, its form, an action and a menu.

    The keys are paths that begin with the module's folder.
    """
    manifest = copy.deepcopy(_MANIFEST) | {"version": version, "depends": list(depends)}
    words = {"table": name.replace("_", "."), "model": name}
    lines = "".join(f"    {key!r}: {value!r},\n" for key, value in manifest.items())
    return {
        f"{name}/__init__.py": "from . import models\n",
        f"{name}/__manifest__.py": f"{{\n{lines}}}\n",
        f"{name}/models/__init__.py": "from . import note\n",
        f"{name}/models/note.py": _MODEL.format(**words),
        f"{name}/security/ir.model.access.csv": _ACCESS.format(**words),
        f"{name}/views/note_views.xml": _VIEWS.format(**words),
    }


def module_with_syntax_error(name: str = "oecsh_broken") -> dict[str, str]:
    """A module whose Python does not parse: Odoo shows a `SyntaxError` in `models/note.py`."""
    files = odoo_module(name)
    files[f"{name}/models/note.py"] += "\n    def wrong(self:\n        return 1\n"
    return files


def module_with_missing_dependency(name: str = "oecsh_lonely", missing: str = "no_such_module") -> dict[str, str]:
    """A module that depends on one which nobody has."""
    return odoo_module(name, depends=("base", missing))


def module_with_broken_view(name: str = "oecsh_blind") -> dict[str, str]:
    """A module whose view shows a field that its model has not: the installation fails in the database."""
    files = odoo_module(name)
    path = f"{name}/views/note_views.xml"
    files[path] = files[path].replace('<field name="done"/>', '<field name="no_such_field"/>')
    return files
