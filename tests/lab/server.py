"""`LabServer`: a server of the lab, and everything that can be done to it."""

from __future__ import annotations

from tests.lab.faults import DiskFaults, NetworkFaults


class LabServer(NetworkFaults, DiskFaults):
    """One server. Made by `Lab.server`; its life and console are in `ServerMachine`."""
