"""`python -m tests.bench [name …]`: runs the benchmarks (all of them by default), prints a table and keeps the runs."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import time
import warnings

import django

import tests.bench
from tests.bench.measurement import RESULTS, NotMeasured, all_benchmarks, keep, table


def main() -> int:
    warnings.simplefilter("ignore")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oecsh.settings.testing")
    django.setup()
    for module in pkgutil.iter_modules(tests.bench.__path__):
        if module.name.startswith("bench_"):
            importlib.import_module(f"tests.bench.{module.name}")
    known = all_benchmarks()
    names = sys.argv[1:] or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(known)}.")
        return 2
    measurements = []
    failed = False
    for name in names:
        started = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            found = known[name]()
        except NotMeasured as reason:
            print(f"{name}: not measured. {reason}", flush=True)
            failed = True
            continue
        keep(found)
        measurements += found
        print(f"{name}: done after {time.monotonic() - started:.0f} s", flush=True)
    print(table(measurements))
    print(f"The runs stand in {RESULTS.relative_to(RESULTS.parent.parent)}.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
