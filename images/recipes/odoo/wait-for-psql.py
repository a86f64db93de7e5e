#!/usr/bin/python3
"""Wait until the database server that Odoo is going to use lets us in.

The arguments are Odoo's own; what they leave open is taken from $ODOO_RC, and the
rest from libpq's environment. Ends with status 1 and the server's last answer when
`--timeout` seconds (30) were not enough.
"""

import argparse
import configparser
import os
import sys
import time

import psycopg2


def wanted():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--timeout", type=int, default=30)
    parser.add_argument("-c", "--config", default=os.environ.get("ODOO_RC"))
    parser.add_argument("-r", "--db_user")
    parser.add_argument("-w", "--db_password")
    for name in ("host", "port", "sslmode"):
        parser.add_argument("--db_" + name)
    return parser.parse_known_args()[0]


def connection(arguments):
    file = configparser.RawConfigParser(strict=False)
    if arguments.config:
        file.read(arguments.config)
    found = {"dbname": "postgres"}
    for option in ("host", "port", "user", "password", "sslmode"):
        value = getattr(arguments, "db_" + option)
        if value is None:
            value = file.get("options", "db_" + option, fallback="")
        if value and value.lower() not in ("false", "none"):
            found[option] = value
    return found


def main():
    arguments = wanted()
    parameters = connection(arguments)
    deadline = time.monotonic() + arguments.timeout
    while True:
        try:
            psycopg2.connect(connect_timeout=5, **parameters).close()
            return 0
        except psycopg2.OperationalError as error:
            if time.monotonic() >= deadline:
                print(f"Database connection failure: {error}", file=sys.stderr)
                return 1
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
