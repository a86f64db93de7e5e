"""Texts of the problems with servers: what happened, what to do about it, who can."""

from __future__ import annotations

from apps.core.exceptions import SERVER_ADMINISTRATOR, USER, Message, register
from apps.servers.placement_messages import BOOTSTRAP, PLACEMENT

KEYS = {
    "servers.key_unreadable": Message(
        "This is not a private key.",
        "Paste the whole file, from -----BEGIN to -----END, in OpenSSH's or PEM format.",
    ),
    "servers.key_is_public": Message(
        "This is a public key.",
        "Paste the private key: the file of the same name without .pub.",
    ),
    "servers.key_is_putty": Message(
        "This is a key in PuTTY's format.",
        "In PuTTYgen choose Conversions, Export OpenSSH key, and paste that file.",
    ),
    "servers.key_needs_passphrase": Message(
        "This private key has a passphrase.", "Enter the passphrase below the key."
    ),
    "servers.key_wrong_passphrase": Message(
        "The passphrase does not open this private key.", "Check the passphrase, or paste another key."
    ),
    "servers.key_unsupported": Message(
        "Keys of this kind are not supported ({kind}).", "Use an ed25519, ECDSA (256, 384 or 521 bits) or RSA key."
    ),
    "servers.key_weak": Message(
        "This RSA key has only {bits} bits.", "Use an ed25519 key, or an RSA key of at least {shortest} bits."
    ),
    "servers.key_in_use": Message(
        "The SSH key {name} is in use by a server.", "Give the server another key first.", http_status=409
    ),
}

CONNECTION = {
    "servers.port_closed": Message(
        "{address} refuses connections on port {port}.",
        "Check the port, and that the SSH service runs there and the firewall lets the platform in.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.no_answer": Message(
        "{address} does not answer on port {port} (waited {seconds} seconds).",
        "Check the address, that the server is on, and that its firewall lets the platform in.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.no_route": Message(
        "There is no way from the platform to {address} ({reason}).",
        "Check the address and the network of the server.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.not_ssh": Message(
        "What answers on {address} port {port} is not SSH.",
        "Check the port: SSH usually listens on 22.",
    ),
    "servers.ssh_silent": Message(
        "{address} accepts connections on port {port}, but no SSH service greets.",
        "Check that port {port} is the one of SSH, and that the SSH service is not overloaded.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.ssh_incompatible": Message(
        "The SSH service of {address} and the platform have no method in common ({reason}).",
        "Update the SSH service: OpenSSH 7.4 and later work.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.key_refused": Message(
        "{address} does not let the user {user} in with this key.",
        "Check the user's name, and that the public key stands in that user's ~/.ssh/authorized_keys on the server.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.more_than_a_key": Message(
        "{address} wants more than a key from the user {user} ({methods}).",
        "Allow sign-in by key alone for this user, for example with a Match block in sshd_config.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.host_key_unknown": Message(
        "The host key of {name} was never confirmed.",
        "Open the server's page, compare the fingerprint with the server's own, and confirm it.",
    ),
    "servers.host_key_changed": Message(
        "The host key of {address} has changed: nothing was sent to it.",
        "Pinned: {expected}. Now: {found}. If the server was installed anew, compare the new fingerprint on the server "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and confirm it on the server's page. If nobody changed it, "
        "somebody may be listening in: do not confirm.",
    ),
    "servers.connection_lost": Message(
        "The connection to {address} was lost ({reason}).",
        "The platform tries again by itself; if it goes on, check the server and its network.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.too_many_channels": Message(
        "{address} allows no further session on this connection.",
        "Set MaxSessions in sshd_config to 10 or more, which is its default.",
        SERVER_ADMINISTRATOR,
    ),
}

COMMANDS = {
    "servers.command_failed": Message(
        "{command} failed on the server with exit code {exit_code}.", "It said: {output}", SERVER_ADMINISTRATOR
    ),
    "servers.command_timed_out": Message(
        "{command} took more than {seconds} seconds on the server and was stopped.",
        "Check the load and the disk of the server, then try again.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.no_shell": Message(
        "The user {user} gets in, but cannot run commands.",
        "The server said: {output}. Give that user a login shell such as /bin/sh, without a forced command.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.shell_talks": Message(
        "The login shell of the user {user} prints text where only programs listen: {output}",
        "Let the user's .bashrc or .profile print only in interactive shells: [ -t 1 ] && echo …",
        SERVER_ADMINISTRATOR,
    ),
    "servers.no_sudo": Message(
        "The user {user} may not use sudo without a password.",
        "Use root, or allow it on the server with a file in /etc/sudoers.d: {user} ALL=(ALL) NOPASSWD: ALL",
        SERVER_ADMINISTRATOR,
    ),
    "servers.no_sftp": Message(
        "The server has no SFTP service.",
        "Install the sftp-server of OpenSSH, and keep 'Subsystem sftp' in sshd_config.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.file_not_found": Message("{path} does not exist on the server.", "Run the bootstrap of the server again."),
    "servers.file_denied": Message(
        "The server does not allow writing {path} ({reason}).",
        "Check the rights of that folder, and that its file system is not mounted read-only.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.file_too_large": Message(
        "{path} on the server is larger than the platform reads ({kilobytes} KB).",
        "It should be a small file of the platform's own: look at it on the server, and restore or remove it.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.too_many_files": Message(
        "There are more than {most} files in {path} on the server.",
        "It should hold files of the platform alone: remove what does not belong there.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.disk_full": Message(
        "The disk of the server is full (writing {path}).",
        "Free some space on the server, or make its disk larger, then try again.",
        SERVER_ADMINISTRATOR,
    ),
}

DOCKER = {
    "servers.docker_missing": Message(
        "There is no Docker on the server.", "Run the bootstrap, which installs it.", USER
    ),
    "servers.docker_not_running": Message(
        "Docker is installed on the server but does not answer.",
        "Look at it on the server: systemctl status docker, journalctl -u docker.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.docker_silent": Message(
        "Docker on {address} took too long to answer.",
        "The platform tries again by itself; if it goes on, check the load and the disk of the server.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.docker_talks": Message(
        "Docker on the server sends more than the platform reads at once ({kilobytes} KB).",
        "Check that the engine there is Docker's own and not overloaded, and remove containers that nobody needs.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.docker_unreadable": Message(
        "What Docker on the server sends cannot be read.",
        "Check that the engine there is Docker's own; update it, then retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.docker_denied": Message(
        "The user {user} has no rights on Docker.",
        "Use root, allow sudo without a password, or add the user to the group docker.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.docker_too_old": Message(
        "Docker {version} is too old.",
        "Update Docker to {oldest} or later. The platform never replaces or restarts an engine that is there.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.image_missing": Message(
        "The image {image} cannot be pulled.",
        "{reason} Check the name, and that the server reaches its registry.",
        USER,
    ),
    "servers.container_failed_to_start": Message(
        "The container {name} could not be started.", "{reason}", SERVER_ADMINISTRATOR
    ),
    "servers.container_job_vanished": Message(
        "The container {name} was removed by somebody while it worked.",
        "Do not remove containers that belong to a running operation; retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.container_job_timed_out": Message(
        "{name} took more than {seconds} seconds and was stopped.",
        "Check the load of the server, then try again.",
        SERVER_ADMINISTRATOR,
    ),
}

register(KEYS | CONNECTION | COMMANDS | DOCKER | BOOTSTRAP | PLACEMENT)
