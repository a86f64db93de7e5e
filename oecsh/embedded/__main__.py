"""`python -m oecsh.embedded demo|down|prepare-tests|status`: what `make` calls."""

from __future__ import annotations

import argparse
import os
import sys
import warnings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m oecsh.embedded", description=__doc__)
    parser.add_argument("action", choices=["demo", "down", "prepare-tests", "status"])
    action = parser.parse_args().action
    # A library warns about a variable that only desktop sessions set.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="platformdirs")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oecsh.settings.embedded")
    if action == "demo":
        from oecsh.embedded.demo import run_demo

        return run_demo()
    if action == "down":
        from oecsh.embedded.demo import stop_everything

        return stop_everything()
    if action == "prepare-tests":
        from oecsh.embedded.preparation import prepare_tests

        return prepare_tests()
    from oecsh.embedded import control_plane

    pid = control_plane.supervisor_pid()
    print(f"The control plane runs (supervisor {pid})." if pid else "The control plane does not run.")
    return 0 if pid else 1


if __name__ == "__main__":
    sys.exit(main())
