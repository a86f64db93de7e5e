#!/bin/sh
# Starts PgBouncer with /etc/pgbouncer/pgbouncer.ini. Where there is no such file it is
# written from DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME (or DATABASE_URL), AUTH_TYPE
# and any of PgBouncer's own settings in capitals (POOL_MODE, MAX_CLIENT_CONN ...).
set -eu
umask 077
folder=/etc/pgbouncer

fail() {
    echo "$1" >&2
    exit 1
}

# postgres://USER:PASSWORD@HOST:PORT/NAME
read_url() {
    rest=${DATABASE_URL#*://}
    credentials=${rest%@*}
    location=${rest##*@}
    DB_USER=${credentials%%:*}
    DB_PASSWORD=${credentials#*:}
    DB_NAME=${location#*/}
    DB_NAME=${DB_NAME%%\?*}
    authority=${location%%/*}
    DB_HOST=${authority%%:*}
    case "$authority" in
        *:*) DB_PORT=${authority##*:} ;;
    esac
}

write_configuration() {
    [ -z "${DATABASE_URL:-}" ] || read_url
    [ -n "${DB_HOST:-}" ] || fail 'Error: neither /etc/pgbouncer/pgbouncer.ini nor DB_HOST or DATABASE_URL is given.'
    {
        echo '[databases]'
        echo "${DB_NAME:-*} = host=$DB_HOST port=${DB_PORT:-5432} auth_user=${DB_USER:-postgres}"
        echo '[pgbouncer]'
        echo "listen_addr = ${LISTEN_ADDR:-0.0.0.0}"
        echo "listen_port = ${LISTEN_PORT:-5432}"
        echo "auth_file = ${AUTH_FILE:-$folder/userlist.txt}"
        echo "auth_type = ${AUTH_TYPE:-md5}"
        echo "ignore_startup_parameters = ${IGNORE_STARTUP_PARAMETERS:-extra_float_digits}"
        # Every other setting that PgBouncer knows and that the environment names in capitals.
        env | while IFS='=' read -r name value; do
            case "$name" in
                POOL_MODE | ADMIN_USERS | STATS_USERS | AUTH_QUERY | MAX_* | MIN_POOL_SIZE | DEFAULT_POOL_SIZE | \
                RESERVE_POOL_* | SERVER_* | CLIENT_* | QUERY_* | LOG_* | VERBOSE | TCP_* | *_TIMEOUT | STATS_PERIOD)
                    printf '%s = %s\n' "$(printf %s "$name" | tr '[:upper:]' '[:lower:]')" "$value"
                    ;;
            esac
        done
    } > "$folder/pgbouncer.ini"
    if [ -n "${DB_USER:-}" ] && [ ! -e "${AUTH_FILE:-$folder/userlist.txt}" ]; then
        # A double quote inside either is doubled, as PgBouncer's file format asks for.
        quoted_user=$(printf %s "$DB_USER" | sed 's/"/""/g')
        quoted_password=$(printf %s "${DB_PASSWORD:-}" | sed 's/"/""/g')
        printf '"%s" "%s"\n' "$quoted_user" "$quoted_password" > "$folder/userlist.txt"
    fi
}

[ -e "$folder/pgbouncer.ini" ] || write_configuration
exec "$@"
