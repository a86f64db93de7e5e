"""What belongs to the platform itself and is set by its staff: names, certificates, mail, limits, Odoo's versions."""
