"""How tables are emptied after tests that commit (`flush`, beginning.py), and rows made at little cost (pattern.py)."""
