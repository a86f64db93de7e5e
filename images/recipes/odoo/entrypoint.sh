#!/bin/bash
# Starts Odoo. HOST, PORT, USER and PASSWORD (or PASSWORD_FILE) name the database
# server; what $ODOO_RC says about it goes before them. Other programs run as given.
set -e

if [[ -n "${PASSWORD_FILE:-}" ]]; then
    PASSWORD=$(< "$PASSWORD_FILE")
fi
: "${HOST:=db}" "${PORT:=5432}" "${USER:=${POSTGRES_USER:-odoo}}" "${PASSWORD:=${POSTGRES_PASSWORD:-odoo}}"

configured() {
    grep -qE "^$1[[:space:]]*[=:]" "$ODOO_RC" 2> /dev/null
}

database=()
configured db_host || database+=("--db_host=$HOST")
configured db_port || database+=("--db_port=$PORT")
configured db_user || database+=("--db_user=$USER")
# The password goes by the environment: a command line can be read by everybody on the host.
configured db_password || export PGPASSWORD="$PASSWORD"

case "${1:-}" in
    -- | odoo)
        shift
        if [[ "${1:-}" == scaffold ]]; then
            exec odoo "$@"
        fi
        ;;
    -*) ;;
    *)
        exec "$@"
        ;;
esac

# A subcommand (shell, db, neutralize ...) has to stay the first word.
command=()
if [[ $# -gt 0 && "$1" != -* ]]; then
    command=("$1")
    shift
fi
case " $* " in
    *' --help '* | *' -h '* | *' --version '*) ;;
    *) wait-for-psql.py --timeout=30 "${database[@]}" "$@" ;;
esac
exec odoo "${command[@]}" "${database[@]}" "$@"
