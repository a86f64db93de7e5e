"""The lab's network: a bridge per slot with NAT to the outside, and a named network namespace per server."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.commands import LabError, execute

NETWORK = "10.213"
"""First half of every lab address: slot N has 10.213.N.0/24. Tell the guard on outgoing addresses 10.213.0.0/16."""

STATE_DISABLED, STATE_FORWARDING = "0", "3"


class Bridge:
    """The switch of one slot. This machine has the first address on it, so daemons of the lab listen there."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.name = f"oecsh-lab{slot}"
        self.address = f"{NETWORK}.{slot}.1"
        self.subnet = f"{NETWORK}.{slot}.0/24"

    def ensure(self) -> None:
        """Make the bridge, forwarding and NAT, whatever of it is there already."""
        if not _link_exists(self.name):
            execute(["ip", "link", "add", self.name, "type", "bridge"])
        execute(["ip", "link", "set", self.name, "type", "bridge", "stp_state", "0"])
        execute(["ip", "address", "replace", f"{self.address}/24", "dev", self.name])
        execute(["ip", "link", "set", self.name, "mtu", str(outer_mtu()), "up"])
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        # Docker on this machine drops what it does not know; its rules stay as they are, ours stand beside them.
        _ensure_rule("filter", ["FORWARD", "-i", self.name, "-j", "ACCEPT"])
        _ensure_rule("filter", ["FORWARD", "-o", self.name, "-j", "ACCEPT"])
        _ensure_rule("nat", ["POSTROUTING", "-s", self.subnet, "!", "-o", self.name, "-j", "MASQUERADE"])

    def remove(self) -> None:
        """Take away what `ensure` made (forwarding stays on: others may rely on it)."""
        _remove_rule("filter", ["FORWARD", "-i", self.name, "-j", "ACCEPT"])
        _remove_rule("filter", ["FORWARD", "-o", self.name, "-j", "ACCEPT"])
        _remove_rule("nat", ["POSTROUTING", "-s", self.subnet, "!", "-o", self.name, "-j", "MASQUERADE"])
        if _link_exists(self.name):
            execute(["ip", "link", "delete", self.name])


class ServerNetwork:
    """Network namespace, cable and address of one server. `number` (11-250) gives address and hardware address."""

    def __init__(self, bridge: Bridge, number: int) -> None:
        self.bridge = bridge
        self.namespace = f"{bridge.name}-{number}"
        self.cable = f"oecsh{bridge.slot}v{number}"
        self.address = f"{NETWORK}.{bridge.slot}.{number}"
        self.hardware_address = f"02:0e:c5:00:{bridge.slot:02x}:{number:02x}"

    @property
    def path(self) -> Path:
        return Path("/run/netns") / self.namespace

    def create(self) -> None:
        """A fresh namespace, as after a boot: nothing of an earlier one (rules, interfaces) stays."""
        self.remove()
        execute(["ip", "netns", "add", self.namespace])
        mtu = str(outer_mtu())
        execute(["ip", "link", "add", self.cable, "mtu", mtu, "type", "veth",
                 "peer", "name", "eth0", "address", self.hardware_address, "mtu", mtu,
                 "netns", self.namespace])  # fmt: skip
        execute(["ip", "link", "set", self.cable, "master", self.bridge.name, "up"])
        execute(["ip", "-netns", self.namespace, "-batch", "-"], stdin=(
            "link set lo up\n"
            f"address add {self.address}/24 dev eth0\n"
            "link set eth0 up\n"
            f"route add default via {self.bridge.address}\n"
        ))  # fmt: skip
        # A permanent neighbour entry makes a cut look like one on the internet: silence, not "no route to host".
        execute(["ip", "neighbour", "replace", self.address, "lladdr", self.hardware_address,
                 "dev", self.bridge.name, "nud", "permanent"])  # fmt: skip

    def set_connected(self, connected: bool) -> None:
        """Let frames pass the server's port of the switch, or swallow them silently in both directions."""
        state = STATE_FORWARDING if connected else STATE_DISABLED
        execute(["bridge", "link", "set", "dev", self.cable, "state", state])

    def remove(self) -> None:
        if _link_exists(self.cable):
            execute(["ip", "link", "delete", self.cable], check=False)
        if self.path.exists():
            execute(["ip", "netns", "delete", self.namespace])


def outer_mtu() -> int:
    """What fits through the way to the outside, in bytes: larger frames would vanish behind NAT."""
    routes = json.loads(execute(["ip", "-json", "route", "show", "default"]).stdout or "[]")
    if not routes:
        return 1500
    links = json.loads(execute(["ip", "-json", "link", "show", "dev", routes[0]["dev"]]).stdout)
    return int(links[0]["mtu"])


def _link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _ensure_rule(table: str, rule: list[str]) -> None:
    if execute(["iptables", "-w", "10", "-t", table, "-C", *rule], check=False).returncode != 0:
        execute(["iptables", "-w", "10", "-t", table, "-A", *rule])


def _remove_rule(table: str, rule: list[str]) -> None:
    for _ in range(20):
        if execute(["iptables", "-w", "10", "-t", table, "-D", *rule], check=False).returncode != 0:
            return
    raise LabError(f"the rule {' '.join(rule)} cannot be removed")
