#!/bin/sh
# Runs a command inside a lab server as if it were at its console: enter.sh GROUPS_FILE PID COMMAND...
# It joins the server's control groups first: what it starts (a Docker engine) must find its limits there.
set -eu
groups=$1 process=$2
shift 2
while read -r group; do echo $$ > "$group/cgroup.procs"; done < "$groups"
exec nsenter "--target=$process" --mount --uts --ipc --net --pid --cgroup -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
