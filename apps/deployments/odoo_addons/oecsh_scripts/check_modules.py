"""check_modules.py CONFIGURATION NAMES: loads the code of modules as Odoo does, and reads their data files.

No database is opened. Ends with Odoo's own traceback and status 1 at the first module that does not load.
"""

import logging
import os
import sys

import odoo
import odoo.modules.module
import odoo.netsvc
import odoo.tools
from lxml import etree

_logger = logging.getLogger("odoo.oecsh.check_modules")


def check_data(name):
    """Every XML file that the manifest names can be parsed."""
    folder = odoo.modules.module.get_module_path(name)
    manifest = odoo.modules.module.get_manifest(name)
    for path in [*manifest.get("data", []), *manifest.get("demo", [])]:
        full = os.path.join(folder, path)
        if path.endswith(".xml"):
            etree.parse(full)
        elif not os.path.exists(full):
            raise FileNotFoundError(f"{name}: the manifest names {path}, which does not exist")


def main():
    configuration, names = sys.argv[1], sys.argv[2].split(",")
    odoo.tools.config.parse_config(["--config", configuration])
    odoo.netsvc.init_logger()
    odoo.modules.module.initialize_sys_path()
    for name in ["base", "web", *names]:
        odoo.modules.module.load_openerp_module(name)
    for name in names:
        check_data(name)
    _logger.info("Loaded: %s", ", ".join(names))


main()
