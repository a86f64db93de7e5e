"""The container images that the platform runs, made from Debian packages and PyPI alone.

`python -m images --help` lists what can be done; images/README.md explains when it is needed.
"""
