# PostgreSQL 17 (Debian trixie's package) with the interface of the image "postgres".
FROM oecsh/debian:trixie
ARG DEBIAN_MIRROR
ARG DEBIAN_SECURITY_MIRROR
ARG DEBIAN_FRONTEND=noninteractive

COPY install-server /usr/local/sbin/
RUN install-server 17

COPY docker-entrypoint.sh /usr/local/bin/
ENV LANG=en_US.utf8 PG_MAJOR=17 PGDATA=/var/lib/postgresql/data
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin
VOLUME ["/var/lib/postgresql/data"]
EXPOSE 5432
# SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
