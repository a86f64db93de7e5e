#!/bin/sh
# Turns this process into process 1 of a lab server: namespaces.sh DIRECTORY NAME NETWORK_NAMESPACE LAYERS
#
# DIRECTORY/groups lists the control groups to join, DIRECTORY/hierarchies the trees to show inside ("folder options").
# Mounts are made in the server's own mount namespace, so they end with its last process.
set -eu

inside() {
    directory=$1 name=$2 layers=$3
    root=$directory/root
    mount -t overlay overlay -o "lowerdir=$layers,upperdir=$directory/upper,workdir=$directory/work" "$root"
    mount --bind "$directory/opt" "$root/opt"
    mkdir -p "$root/var/lib/docker"
    mount --bind "$directory/docker" "$root/var/lib/docker"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    devices "$root/dev"
    groups "$root/sys/fs/cgroup" "$directory/hierarchies"
    hostname "$name"
    mkdir -p "$root/.machine"
    cd "$root"
    pivot_root . .machine
    umount --lazy /.machine
    rmdir /.machine
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        /usr/bin/tini -s -- /usr/local/sbin/lab-boot
}

devices() {
    mount -t tmpfs -o mode=755 tmpfs "$1"
    for device in null zero full random urandom tty fuse kmsg; do
        if [ -e "/dev/$device" ]; then cp --archive "/dev/$device" "$1/$device"; fi
    done
    mkdir "$1/pts" "$1/shm" "$1/mqueue"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$1/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$1/shm"
    mount -t mqueue mqueue "$1/mqueue"
    ln -s pts/ptmx "$1/ptmx"
    ln -s /proc/self/fd "$1/fd"
    ln -s /proc/self/fd/0 "$1/stdin"
    ln -s /proc/self/fd/1 "$1/stdout"
    ln -s /proc/self/fd/2 "$1/stderr"
}

groups() {
    if [ "$(cat "$2")" = "version2" ]; then
        # Version 2 gives controllers to children only when the parent has no process of its own.
        mount -t cgroup2 cgroup2 "$1"
        mkdir "$1/init"
        while read -r process; do echo "$process" > "$1/init/cgroup.procs" || true; done < "$1/cgroup.procs"
        sed 's/\([a-z]*\)/+\1/g' "$1/cgroup.controllers" > "$1/cgroup.subtree_control"
        return
    fi
    mount -t tmpfs -o mode=755 tmpfs "$1"
    while read -r folder options; do
        mkdir -p "$1/$folder"
        mount -t cgroup -o "$options" cgroup "$1/$folder"
    done < "$2"
}

if [ "$1" = inside ]; then
    shift
    inside "$@"
fi

directory=$1 name=$2 network=$3 layers=$4
while read -r group; do echo $$ > "$group/cgroup.procs"; done < "$directory/groups"
exec nsenter "--net=$network" \
    unshare --mount --uts --ipc --pid --cgroup --propagation private --fork --kill-child \
    -- sh "$0" inside "$directory" "$name" "$layers"
