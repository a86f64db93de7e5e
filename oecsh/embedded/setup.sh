#!/bin/sh
# Makes .venv from the pinned requirements; does nothing when they are unchanged. Plain sh: Python may be missing yet.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .run

as_root_install() {
    if [ "$(id -u)" != 0 ]; then
        echo "Install the package $1, then try again (this needs root)." >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >.run/setup.log
}

python=${PYTHON3:-python3}
if ! command -v "$python" >/dev/null || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    as_root_install python3 python3-venv
    python=/usr/bin/python3
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    as_root_install python3-venv
fi
command -v git >/dev/null || as_root_install git

wanted=$(cat requirements/*.txt client/pyproject.toml | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/requirements.sha256 2>/dev/null || true)" != "$wanted" ]; then
    echo "Setting up .venv …"
    "$python" -m venv .venv
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/development.txt >.run/pip.log 2>&1 ||
        # The command-line client, as it stands here.
        ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable client >>.run/pip.log 2>&1; then
        tail -n 20 .run/pip.log >&2
        exit 1
    fi
    echo "$wanted" >.venv/requirements.sha256
fi
