"""What a server tells about itself: one script there, one parser here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from apps.core.exceptions import Problem
from apps.servers import paths
from apps.servers.answers import short_text, whole_number
from apps.servers.distributions import Distribution, InitSystem, parse_os_release, recognize

if TYPE_CHECKING:
    from apps.servers.host import Host

# POSIX shell, with what Debian, Red Hat and Alpine have without installing anything. $1 is our root folder, $2 the
# socket of Docker. Docker answers within its time-out or counts as silent.
SCRIPT = r"""
export LC_ALL=C
echo "architecture=$(uname -m)"
echo "kernel=$(uname -r)"
echo "cpu_count=$(nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo)"
awk '/^MemTotal:/ {print "memory_total_kilobytes=" $2}' /proc/meminfo
awk '/^MemAvailable:/ {print "memory_free_kilobytes=" $2}' /proc/meminfo
path=$1
while [ ! -e "$path" ]; do path=${path%/*}; path=${path:-/}; done
df -Pk "$path" | awk 'END {print "disk_total_kilobytes=" $(NF-4); print "disk_free_kilobytes=" $(NF-2)}'
path=/var/lib/docker
while [ ! -e "$path" ]; do path=${path%/*}; path=${path:-/}; done
df -Pk "$path" | awk 'END {print "docker_disk_free_kilobytes=" $(NF-2)}'
if [ -d /run/systemd/system ]; then echo "init_system=systemd"
elif command -v rc-service >/dev/null; then echo "init_system=openrc"
else echo "init_system=sysvinit"; fi
command -v dockerd >/dev/null && echo "docker_installed=yes"
if command -v docker >/dev/null; then
  echo "docker_version=$(timeout 15 docker --host "unix://$2" version --format '{{.Server.Version}}' 2>/dev/null)"
fi
sed 's/^/os_release:/' /etc/os-release 2>/dev/null || sed 's/^/os_release:/' /usr/lib/os-release
"""
_OS_RELEASE = "os_release:"
_LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True)
class Facts:
    """A server as it was last seen. Sizes in megabytes; `docker_version` is empty where no engine answers."""

    distribution: str
    version: str
    title: str
    architecture: str
    kernel: str
    init_system: str
    cpu_count: int
    memory_megabytes: int
    memory_free_megabytes: int
    disk_total_megabytes: int
    disk_free_megabytes: int
    docker_disk_free_megabytes: int
    docker_version: str
    docker_installed: bool

    def as_json(self) -> dict[str, Any]:
        """What is stored with the server."""
        return asdict(self)

    @property
    def init(self) -> InitSystem:
        return InitSystem(self.init_system)


def parse(text: str) -> tuple[Facts, str]:
    """The facts that the script printed, and the server's os-release."""
    lines = text[:_LONGEST_ANSWER].splitlines()
    os_release = "\n".join(line.removeprefix(_OS_RELEASE) for line in lines if line.startswith(_OS_RELEASE))
    values = dict(line.partition("=")[::2] for line in lines if not line.startswith(_OS_RELEASE))
    names = parse_os_release(os_release)
    facts = Facts(
        distribution=short_text(names.get("ID", "")),
        version=short_text(names.get("VERSION_ID", "")),
        title=short_text(names.get("PRETTY_NAME", "")) or "Unknown Linux",
        architecture=short_text(values.get("architecture", "")),
        kernel=short_text(values.get("kernel", "")),
        init_system=_init_system(values.get("init_system", "")),
        cpu_count=_number(values, "cpu_count"),
        memory_megabytes=_number(values, "memory_total_kilobytes") // 1024,
        memory_free_megabytes=_number(values, "memory_free_kilobytes") // 1024,
        disk_total_megabytes=_number(values, "disk_total_kilobytes") // 1024,
        disk_free_megabytes=_number(values, "disk_free_kilobytes") // 1024,
        docker_disk_free_megabytes=_number(values, "docker_disk_free_kilobytes") // 1024,
        docker_version=short_text(values.get("docker_version", "")),
        docker_installed=values.get("docker_installed") == "yes",
    )
    return facts, os_release


def _number(values: dict[str, str], name: str) -> int:
    return whole_number(values.get(name, ""))


def _init_system(text: str) -> str:
    return text if text in [*InitSystem] else InitSystem.SYSVINIT


def gather(host: Host) -> tuple[Facts, str]:
    """Asks a server, with one command. Raises what `Host.run` raises."""
    return parse(host.run_script(SCRIPT, paths.ROOT, host.docker_socket, timeout=45).stdout)


ARCHITECTURES = ("x86_64", "aarch64")
NEEDED_FREE_MEGABYTES = 5 * 1024
# What the product asks for is 2 cores, 4 GB and 80 GB; a machine sold as such shows a little less.
WANTED_CPU_COUNT, WANTED_MEMORY_MEGABYTES, WANTED_DISK_MEGABYTES = 2, 3_600, 75_000


def check_requirements(facts: Facts, os_release: str) -> tuple[Distribution, list[str]]:
    """The distribution, and warnings about what is less than recommended. Raises Problem for what cannot work:
    `servers.distribution_unsupported`, `servers.architecture_unsupported`, `servers.disk_too_small`."""
    distribution = recognize(os_release)
    if facts.architecture not in ARCHITECTURES:
        raise Problem("servers.architecture_unsupported", architecture=facts.architecture)
    places = {str(paths.ROOT): facts.disk_free_megabytes, "/var/lib/docker": facts.docker_disk_free_megabytes}
    for path, free in places.items():
        if free < NEEDED_FREE_MEGABYTES:
            needed = f"{NEEDED_FREE_MEGABYTES // 1024} GB"
            raise Problem("servers.disk_too_small", path=path, free=f"{free / 1024:.1f} GB", needed=needed)
    return distribution, warnings(facts)


def warnings(facts: Facts) -> list[str]:
    """What is less than recommended."""
    found = []
    if facts.cpu_count < WANTED_CPU_COUNT:
        found.append(f"{facts.cpu_count} CPU core: 2 or more are recommended.")
    if facts.memory_megabytes < WANTED_MEMORY_MEGABYTES:
        found.append(f"{facts.memory_megabytes} MB of memory: 4 GB or more are recommended.")
    if facts.disk_total_megabytes < WANTED_DISK_MEGABYTES:
        found.append(f"{facts.disk_total_megabytes // 1024} GB of disk: 80 GB or more are recommended.")
    return found
