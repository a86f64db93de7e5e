#!/bin/sh
# What a lab server does when it boots (child of tini, which is process 1 and reaps what loses its parent).
mkdir -p /run/sshd /run/lock
service ssh start
if [ -x /etc/init.d/docker ]; then
    service docker start
fi
exec sleep infinity
