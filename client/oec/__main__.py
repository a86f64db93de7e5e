"""`python -m oec`."""

from oec.cli import main

main()
