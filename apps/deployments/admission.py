"""No deployment begins on a disk that it would fill: it would stop every environment of the server."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.exceptions import Problem
from apps.environments.render import EnvironmentSpecification
from apps.servers import paths
from apps.servers.host import Host

# Beyond the need: a third more, and a tenth of the disk left over.
MARGIN = 1.3
RESERVE = 0.10
# Megabytes. Unpacked images that are missing, and a new environment with its seed.
IMAGE_MEGABYTES = {"odoo": 2200, "postgres": 450, "pgbouncer": 120}
NEW_DATABASE_MEGABYTES = 500
# Logs, configuration and source of any deployment.
SMALL_MEGABYTES = 50

_LOOK = """for path in "$@"; do
  while [ ! -e "$path" ]; do path=${path%/*}; path=${path:-/}; done
  df -Pk "$path" | tail -n 1
done"""


@dataclass(frozen=True)
class Disk:
    """A file system, in megabytes."""

    path: str
    total: int
    free: int

    def wanted(self, need: int) -> int:
        """What must be free for something that needs so much."""
        return round(need * MARGIN + self.total * RESERVE)


def check_disk(
    host: Host, specification: EnvironmentSpecification, *, missing_images: list[str], data_megabytes: int
) -> list[Disk]:
    """Raises Problem `deployments.disk_too_full` where Docker's folder or ours has too little room; else what there
    is. Where both lie on one file system the needs add up."""
    docker_directory = host.docker.api.info()["DockerRootDir"]
    ours, docker = read_disks(host, str(paths.ROOT), docker_directory)
    need_docker = sum(IMAGE_MEGABYTES[part] for part in missing_images)
    need_ours = data_megabytes + SMALL_MEGABYTES
    if (ours.total, ours.free) == (docker.total, docker.free):
        need_ours += need_docker
    for disk, need in ((docker, need_docker), (ours, need_ours)):
        if need and disk.free < disk.wanted(need):
            raise Problem(
                "deployments.disk_too_full", free=disk.free, path=disk.path, need=need, wanted=disk.wanted(need)
            )
    return [ours, docker]


def read_disks(host: Host, *directories: str) -> list[Disk]:
    """The file systems that folders (which need not exist yet) lie on."""
    lines = host.run_script(_LOOK, *directories).stdout.splitlines()
    return [_parse(directory, line) for directory, line in zip(directories, lines, strict=True)]


def _parse(directory: str, line: str) -> Disk:
    numbers = line.split()
    return Disk(directory, int(numbers[-5]) // 1024, int(numbers[-3]) // 1024)
