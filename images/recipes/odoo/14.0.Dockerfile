# Odoo 14.0 (Debian bullseye's package) with the interface of the image "odoo".
FROM oecsh/debian:bullseye
ARG DEBIAN_MIRROR
ARG DEBIAN_SECURITY_MIRROR
ARG DEBIAN_FRONTEND=noninteractive

COPY prepare-user finish-installation /usr/local/sbin/
RUN prepare-user \
    && install-packages odoo-14 python3-ldap python3-phonenumbers python3-slugify python3-renderpm python3-magic \
        python3-odf python3-pdfminer python3-pip python3-watchdog curl xz-utils \
        fonts-dejavu-core fonts-liberation gsfonts xfonts-75dpi xfonts-base \
    && finish-installation

COPY entrypoint.sh /
COPY wait-for-psql.py /usr/local/bin/
ENV LANG=C.UTF-8 ODOO_VERSION=14.0 ODOO_RC=/etc/odoo/odoo.conf
VOLUME ["/var/lib/odoo", "/mnt/extra-addons"]
EXPOSE 8069 8071 8072
USER odoo
ENTRYPOINT ["/entrypoint.sh"]
CMD ["odoo"]
