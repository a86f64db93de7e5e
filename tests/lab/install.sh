#!/bin/sh
# Installs packages into a layer: install.sh BASE LAYER WORK MOUNTPOINT PACKAGE...
# Runs in a mount namespace of its own, so that nothing stays mounted however it ends.
set -eu
base=$1 layer=$2 work=$3 root=$4
shift 4
mount -t overlay overlay -o "lowerdir=$base,upperdir=$layer,workdir=$work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
cp --dereference /etc/resolv.conf "$root/run/resolv.conf"
mount --bind "$root/run/resolv.conf" "$root/etc/resolv.conf"
# Nothing is started while a file system is being made.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -q -y --no-install-recommends "$@"
chroot "$root" apt-get clean
rm "$root/usr/sbin/policy-rc.d"
