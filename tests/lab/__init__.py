"""The lab: real servers, Git, DNS, ACME, mail and registry on one machine, made from package registries alone.

`Lab` (tests/lab/lab.py) is the way in; docs/lab.md says how it is made and how to use it.
"""
