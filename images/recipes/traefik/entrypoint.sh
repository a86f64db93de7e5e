#!/bin/sh
# Starts Traefik: options and Traefik's own commands go to it, anything else runs as given.
set -e
case "${1:-}" in
    -*) set -- traefik "$@" ;;
    healthcheck | version) set -- traefik "$@" ;;
esac
exec "$@"
