"""Long work as a pipeline of steps that survives its worker; knows no Odoo and no server."""
