"""update_module_list.py CONFIGURATION DATABASE: what "Update Apps List" in Odoo's menu does."""

import contextlib
import logging
import sys

import odoo
import odoo.netsvc
import odoo.tools
from odoo.modules.registry import Registry


def main():
    configuration, database = sys.argv[1:3]
    odoo.tools.config.parse_config(["--config", configuration])
    odoo.netsvc.init_logger()
    # Odoo 14 needs its environments managed.
    manage = getattr(odoo.api.Environment, "manage", contextlib.nullcontext)
    with manage(), Registry(database).cursor() as cursor:
        environment = odoo.api.Environment(cursor, odoo.SUPERUSER_ID, {})
        updated, added = environment["ir.module.module"].update_list()
        logging.getLogger("odoo.oecsh.modules").info("%d modules updated, %d added", updated, added)


main()
