"""What the control plane takes when nothing happens: proportional set size, and share of a core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from oecsh.embedded import control_plane
from tests.bench.measurement import Measurement, NotMeasured, benchmark, runs

SETTLE_SECONDS = 20
WATCH_SECONDS = 10


@benchmark
def idle() -> list[Measurement]:
    """Web, beat and a worker with two children, without PostgreSQL and Valkey; the demo must run."""
    memory = Measurement("idle", "MB", "≤ 350 MB")
    processor = Measurement("idle_cpu", "% of a core", "≤ 2 %")
    processes = control_plane_processes()
    if not processes:
        raise NotMeasured("The control plane does not run: start it by `make demo`.")
    time.sleep(SETTLE_SECONDS)
    for _ in range(runs()):
        before = sum(map(cpu_seconds, processes))
        started = time.monotonic()
        time.sleep(WATCH_SECONDS)
        spent = sum(map(cpu_seconds, processes)) - before
        processor.ours.append(spent / (time.monotonic() - started) * 100)
        memory.ours.append(sum(map(proportional_megabytes, processes)))
    return [memory, processor]


def control_plane_processes() -> list[int]:
    """The pids of web, worker and beat with all of their children."""
    supervisor = control_plane.supervisor_pid()
    if supervisor is None:
        return []
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    roots = [pid for pid in children.get(supervisor, []) if pid in _program_pids()]
    found: list[int] = []
    while roots:
        pid = roots.pop()
        found.append(pid)
        roots += children.get(pid, [])
    return found


def _program_pids() -> set[int]:
    supervisorctl = Path(sys.executable).parent / "supervisorctl"
    command = [str(supervisorctl), "-c", str(control_plane.RUN_DIRECTORY / "supervisor.conf"), "status"]
    output = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout
    rows = [line.split() for line in output.splitlines()]
    return {int(row[3].rstrip(",")) for row in rows if row[0] in control_plane.PROGRAMS and row[1] == "RUNNING"}


def proportional_megabytes(pid: int) -> float:
    """The memory of a process, what it shares counted by its share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
