"""What can go wrong with a server, made to go wrong on purpose. `LabServer` has it all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import stat
from pathlib import Path

from tests.lab.commands import LabError, execute
from tests.lab.processes import command_name
from tests.lab.server_files import HOST_KEY
from tests.lab.server_machine import ServerMachine

FILLER = "/opt/.filled-by-the-lab"


class NetworkFaults(ServerMachine):
    """Cuts in the network and in SSH."""

    def cut_off(self) -> None:
        """Swallow every packet to and from the server: connections hang, new ones time out."""
        self.network.set_connected(False)

    def reconnect(self) -> None:
        """Undo `cut_off`: hung connections that have not timed out go on."""
        self.network.set_connected(True)

    def drop_connections(self) -> None:
        """End every SSH session that exists, at once; new ones are accepted."""
        listener = self._ssh_listener()
        for pid in self.group.processes():
            if pid != listener and command_name(pid) == "sshd":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def restart_sshd(self) -> None:
        """Restart the listening sshd; sessions live on, as on any server."""
        self.run(["service", "ssh", "restart"])
        self.wait_for_ssh()

    def change_host_key(self) -> None:
        """Give the server another host key, as after a reinstallation (or an attack)."""
        self.run(["rm", f"/{HOST_KEY}", f"/{HOST_KEY}.pub"])
        self.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "host", "-f", f"/{HOST_KEY}"])
        self.restart_sshd()

    def _ssh_listener(self) -> int:
        inside = self.run(["cat", "/run/sshd.pid"]).stdout.strip()
        for pid in self.group.processes():
            if command_name(pid) == "sshd" and _pid_inside(pid) == inside:
                return pid
        raise LabError(f"no sshd listens on {self.name}")


class ServiceFaults(ServerMachine):
    """Accounts and the Docker engine."""

    def authorize(self, public_key: str, *, user: str = "root") -> None:
        """Let the owner of `public_key` sign in as `user`. A key that is there already is not added again."""
        home = self.run(["getent", "passwd", user]).stdout.split(":")[5]
        file = f"{home}/.ssh/authorized_keys"
        self.run(["install", "--directory", "--owner", user, "--mode", "0700", f"{home}/.ssh"])
        present = self.run(["cat", file], check=False).stdout
        if public_key.strip() not in present.splitlines():
            self.run(["tee", "--append", file], stdin=f"{public_key.strip()}\n")
        self.run(["chown", user, file])
        self.run(["chmod", "0600", file])

    def add_user(self, name: str, *, docker: bool = False, sudo: bool = False) -> None:
        """Make an account with the server's own key authorized; `docker` puts it into the group, `sudo` needs no
        password."""
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise LabError(f"{name!r} is no name for an account")
        if self.run(["id", name], check=False).returncode != 0:
            self.run(["useradd", "--create-home", "--shell", "/bin/bash", name])
        if docker:
            self.run(["usermod", "--append", "--groups", "docker", name])
        if sudo:
            self.run(["tee", f"/etc/sudoers.d/{name}"], stdin=f"{name} ALL=(ALL) NOPASSWD: ALL\n")
        self.authorize(self.public_key, user=name)

    def stop_docker(self) -> None:
        """Stop the engine, and with it (by its own settings) every container."""
        self.run(["service", "docker", "stop"])

    def start_docker(self) -> None:
        """Start the engine and wait until it answers."""
        self.run(["service", "docker", "start"])
        self.wait_for_docker()


class DiskFaults(ServiceFaults):
    """A small disk, full or not."""

    def limit_disk(self, megabytes: int, *, docker: bool = False) -> None:
        """Put `/opt` on a file system of its own of that size (what lies there is copied into it); with `docker`
        also `/var/lib/docker` on a second one, empty, the engine restarted. A reboot takes the limits away."""
        self._mount_small("opt", "/opt", megabytes)
        if docker:
            self.stop_docker()
            self._mount_small("docker", "/var/lib/docker", megabytes, copy=False)
            self.start_docker()

    def fill_disk(self, leave_megabytes: int = 0, *, folder: str = "/opt") -> None:
        """Fill the limited disk up to `leave_megabytes`. Raises `LabError` without `limit_disk`: a real disk stays."""
        if not any(f" {folder} " in line and "/dev/loop" in line for line in self._mounts()):
            raise LabError(f"{folder} of {self.name} has no limit; call limit_disk first")
        self.free_disk()
        free = shutil.disk_usage(self.path(folder)).free
        wanted = free - leave_megabytes * 1024 * 1024
        if wanted > 0:
            filler = folder + "/" + FILLER.rpartition("/")[2]
            self.run(["fallocate", "--length", str(wanted), filler], check=False)
            # The file system's own book-keeping takes a little: what is left of it is written full.
            if leave_megabytes == 0:
                self.run(["dd", "if=/dev/zero", f"of={filler}-rest", "bs=64k"], check=False)

    def free_disk(self) -> None:
        """Take away what `fill_disk` wrote."""
        for folder in ("/opt", "/var/lib/docker"):
            filler = folder + "/" + FILLER.rpartition("/")[2]
            self.run(["rm", "-f", filler, f"{filler}-rest"])

    def _mounts(self) -> list[str]:
        return Path(f"/proc/{self.init_pid}/mounts").read_text().splitlines()

    def _mount_small(self, name: str, folder: str, megabytes: int, *, copy: bool = True) -> None:
        image = self.directory / f"{name}.disk"
        image.unlink(missing_ok=True)
        with image.open("wb") as handle:
            handle.truncate(megabytes * 1024 * 1024)
        execute(["mkfs.ext4", "-q", "-m", "0", "-F", image])
        device = execute(["losetup", "--find", "--show", image]).stdout.strip()
        try:
            self._make_device(device)
            self.run(["mkdir", "-p", "/run/small-disk"])
            self.run(["mount", device, "/run/small-disk"])
            self.run(["rmdir", "/run/small-disk/lost+found"])
            if copy:
                self.run(["cp", "--archive", f"{folder}/.", "/run/small-disk/"])
            self.run(["mount", "--move", "/run/small-disk", folder])
        finally:
            # Detached now means: gone as soon as nothing has it mounted any more, however that comes about.
            execute(["losetup", "--detach", device])

    def _make_device(self, device: str) -> None:
        number = os.stat(device).st_rdev
        inside = self.path(device)
        if not inside.exists():
            os.mknod(inside, mode=0o600 | stat.S_IFBLK, device=number)


def _pid_inside(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""
    return next(line for line in status.splitlines() if line.startswith("NSpid")).split()[-1]
