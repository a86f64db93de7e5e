#!/bin/bash
# Starts PostgreSQL; makes the data folder first where $PGDATA holds none.
# Other programs run as given. Variables: POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB,
# POSTGRES_INITDB_ARGS (each also as NAME_FILE), POSTGRES_INITDB_WALDIR, POSTGRES_HOST_AUTH_METHOD.
set -Eeo pipefail

stop_with() {
    printf '%s\n' "$@" >&2
    exit 1
}

# read_setting NAME [DEFAULT]: takes NAME from the file that NAME_FILE names, if it is set.
read_setting() {
    local name=$1 file="$1_FILE"
    if [[ -n "${!name:-}" && -n "${!file:-}" ]]; then
        stop_with "error: both $name and $file are set (but are exclusive)"
    fi
    local value="${!name:-${2:-}}"
    if [[ -n "${!file:-}" ]]; then
        value=$(< "${!file}")
    fi
    export "$name"="$value"
    unset "$file"
}

read_settings() {
    read_setting POSTGRES_PASSWORD
    read_setting POSTGRES_USER postgres
    read_setting POSTGRES_DB "$POSTGRES_USER"
    read_setting POSTGRES_INITDB_ARGS
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

require_password() {
    if [[ -z "$POSTGRES_PASSWORD" && "$POSTGRES_HOST_AUTH_METHOD" != trust ]]; then
        stop_with 'Error: Database is uninitialized and superuser password is not specified.' \
            '       Set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) to a non-empty value for the superuser,' \
            '       or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in without one (not recommended).'
    fi
}

own_folders() {
    mkdir -p "$PGDATA" /var/run/postgresql
    chmod 00700 "$PGDATA" || true
    chmod 03775 /var/run/postgresql || true
    if [[ -n "${POSTGRES_INITDB_WALDIR:-}" ]]; then
        mkdir -p "$POSTGRES_INITDB_WALDIR"
        chmod 700 "$POSTGRES_INITDB_WALDIR"
    fi
    if [[ "$(id -u)" == 0 ]]; then
        find "$PGDATA" ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} /var/run/postgresql \
            \! -user postgres -exec chown postgres '{}' +
    fi
}

make_cluster() {
    local options=()
    if [[ -n "${POSTGRES_INITDB_WALDIR:-}" ]]; then
        options+=(--waldir "$POSTGRES_INITDB_WALDIR")
    fi
    # POSTGRES_INITDB_ARGS is a list of words by its definition, hence no quotes.
    # shellcheck disable=SC2086
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        "${options[@]}" $POSTGRES_INITDB_ARGS
    local method="$POSTGRES_HOST_AUTH_METHOD"
    if [[ -z "$method" ]]; then
        method=$(postgres -C password_encryption "${@:2}")
    fi
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
}

query() {
    psql --variable ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" "$@"
}

run_scripts() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh)
                echo "running $file"
                if [[ -x "$file" ]]; then "$file"; else . "$file"; fi
                ;;
            *.sql) echo "running $file"; query --dbname "$POSTGRES_DB" -f "$file" ;;
            *.sql.gz) echo "running $file"; gunzip -c "$file" | query --dbname "$POSTGRES_DB" ;;
            *.sql.xz) echo "running $file"; xzcat "$file" | query --dbname "$POSTGRES_DB" ;;
            *.sql.zst) echo "running $file"; zstd -dc "$file" | query --dbname "$POSTGRES_DB" ;;
            */\*) ;;
            *) echo "ignoring $file" ;;
        esac
    done
}

# fill_cluster ARGUMENT...: database and scripts, on a server that only its own socket reaches.
fill_cluster() {
    export PGHOST=/var/run/postgresql PGPASSWORD="$POSTGRES_PASSWORD"
    pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")" -w start
    if [[ "$POSTGRES_DB" != postgres ]]; then
        query --dbname postgres --set database="$POSTGRES_DB" <<< 'CREATE DATABASE :"database";'
    fi
    run_scripts
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGHOST PGPASSWORD
    echo 'PostgreSQL init process complete; ready for start up.'
}

main() {
    if [[ "${1:0:1}" == - ]]; then
        set -- postgres "$@"
    fi
    case " $* " in
        *' --help '* | *' -? '* | *' --version '* | *' -V '* | *' --describe-config '*) exec "$@" ;;
    esac
    if [[ "$1" != postgres ]]; then
        exec "$@"
    fi
    read_settings
    own_folders
    if [[ "$(id -u)" == 0 ]]; then
        exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$BASH_SOURCE" "$@"
    fi
    if [[ ! -s "$PGDATA/PG_VERSION" ]]; then
        require_password
        make_cluster "$@"
        fill_cluster "$@"
    fi
    # What the server itself runs has no use for the superuser's password.
    unset POSTGRES_PASSWORD
    exec "$@"
}

main "$@"
