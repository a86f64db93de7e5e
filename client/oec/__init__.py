"""The command-line client of OEC.SH's public API."""
