"""Settings common to every way of running OEC.SH. Everything that differs between installations is read from the
environment, with names listed in docs/operations-guide.md."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from celery.schedules import crontab
from environs import Env

from oecsh.logging import configuration as logging_configuration
from oecsh.settings.admin import UNFOLD  # noqa: F401  (a setting)
from oecsh.settings.api import *  # noqa: F403  (settings)
from oecsh.settings.people import *  # noqa: F403

environment = Env()
BASE_DIR = Path(__file__).resolve().parent.parent.parent
RUN_DIRECTORY = environment.path("RUN_DIRECTORY", BASE_DIR / ".run")

DEBUG = False
SECRET_KEY = environment.str("SECRET_KEY", "")
ALLOWED_HOSTS = environment.list("ALLOWED_HOSTS", [])
CSRF_TRUSTED_ORIGINS = environment.list("CSRF_TRUSTED_ORIGINS", [])
PORTAL_URL = environment.str("PORTAL_URL", "http://127.0.0.1:8000")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.gitlab",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.microsoft",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "channels",
    "django_filters",
    "template_partials",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.core",
    "apps.audit",
    "apps.accounts",
    "apps.orgs",
    "apps.platform",
    "apps.operations",
    "apps.servers",
    "apps.projects",
    "apps.environments",
    "apps.domains",
    "apps.deployments",
    "apps.notifications",
    "apps.portal",
    "apps.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.request_context.request_context",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.session_activity",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.core.middleware.content_security_policy",
    "apps.portal.middleware.person_time_zone",
    "apps.accounts.middleware.provider_answers",
    "apps.orgs.second_factor.second_factor_required",
    "apps.portal.viewing.view_as_person",
    "apps.portal.middleware.problem_pages",
]

ROOT_URLCONF = "oecsh.urls"
FORM_RENDERER = "apps.portal.rendering.FormRenderer"
ASGI_APPLICATION = "oecsh.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.portal.context.navigation",
            ],
            "builtins": [
                "apps.core.templatetags.core",
                "apps.orgs.templatetags.rights",
                "apps.portal.templatetags.portal",
            ],
        },
    }
]

DATABASES = {"default": environment.dj_db_url("DATABASE_URL", "postgres://localhost/oecsh", conn_max_age=60)}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A database host that vanished without a word is noticed before a lease (OPERATION_LEASE_SECONDS) is over.
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=5, keepalives_idle=4, keepalives_interval=2, keepalives_count=2, tcp_user_timeout=8000
)
REDIS_URL = environment.str("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "oecsh"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "apps.orgs.backends.RoleBackend",
    "apps.accounts.backends.PersonBackend",
]
# Who may do what is answered by RoleBackend alone; guardian only stores.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None

CELERY_BROKER_URL = environment.str("CELERY_BROKER_URL", REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A bell must not wait in a worker whose processes are all busy while another worker has one free.
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: what runs needs no broker
# A request that queues an operation does not wait for a broker that is gone: the scan rings later.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 10, "socket_keepalive": True}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "accounts.forget_old_sessions": {
        "task": "accounts.forget_old_sessions",
        "schedule": crontab(hour=3, minute=53),
    },
    "api.delete_old_answers": {"task": "api.delete_old_answers", "schedule": timedelta(hours=1)},
    "environments.purge_expired": {"task": "environments.purge_expired", "schedule": timedelta(hours=1)},
    "environments.sample_usage": {"task": "environments.sample_usage", "schedule": crontab(minute=0)},
    "portal.delete_organizations": {"task": "portal.delete_organizations", "schedule": timedelta(hours=1)},
    "operations.ring_expired": {
        "task": "operations.ring_expired",
        "schedule": timedelta(seconds=3),
        "options": {"expires": 3},  # nobody needs the ticks that passed while all workers were busy
    },
    "servers.check_due": {
        "task": "servers.check_due",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 55},
    },
    "operations.delete_old_lines": {"task": "operations.delete_old_lines", "schedule": crontab(hour=3, minute=17)},
    "platform.support_tick": {
        "task": "platform.support_tick",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 55},
    },
    "platform.delete_expired_events": {
        "task": "platform.delete_expired_events",
        "schedule": crontab(hour=4, minute=7),
    },
    "notifications.work": {
        "task": "notifications.work",
        "schedule": timedelta(seconds=10),
        "options": {"expires": 10},
    },
    "notifications.delete_old": {"task": "notifications.delete_old", "schedule": crontab(hour=3, minute=41)},
}

EMAIL_CONFIG = environment.dj_email_url("EMAIL_URL", "smtp://127.0.0.1:1025")
EMAIL_HOST = EMAIL_CONFIG["EMAIL_HOST"]
EMAIL_PORT = EMAIL_CONFIG["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL_CONFIG["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_BACKEND = "apps.platform.mail.EmailBackend"
# A request that sends a mail does not wait for a mail server that is silent.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.str("DEFAULT_FROM_EMAIL", "OEC.SH <no-reply@localhost>")

LOGGING = logging_configuration(level=environment.str("LOG_LEVEL", "INFO"), as_json=environment.bool("LOG_JSON", True))

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = RUN_DIRECTORY / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "oecsh.staticfiles.StaticFilesStorage"},
}

SESSION_ENGINE = "apps.accounts.session_engine"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
IS_HTTPS = PORTAL_URL.startswith("https://")
# Browsers themselves allow passkeys without TLS on this machine alone.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS

# The key ring: a file with one line per key, "key id:base64 of 32 bytes", the first is used to encrypt.
KEY_RING_FILE = environment.path("KEY_RING_FILE", RUN_DIRECTORY / "key-ring")
KEY_RING = environment.str("KEY_RING", "")

# What environments are made of.
BASE_DOMAIN = environment.str("BASE_DOMAIN", "apps.localhost")
# Private networks that may be called: for servers, Git hosts and registries; and for webhooks, which any tenant can
# point at whatever lies there.
ALLOWED_PRIVATE_NETWORKS = environment.list("ALLOWED_PRIVATE_NETWORKS", [])
WEBHOOK_PRIVATE_NETWORKS = environment.list("WEBHOOK_PRIVATE_NETWORKS", [])
ACME_DIRECTORY_URL = environment.str("ACME_DIRECTORY_URL", "")
ACME_CA_FILE = environment.str("ACME_CA_FILE", "")
ACME_CONTACT = environment.str("ACME_CONTACT", "")
# Where the authority looks for HTTP-01: port 80 everywhere but in a laboratory.
ACME_HTTP_PORT = environment.int("ACME_HTTP_PORT", 80)
# The directories whose limits are kept by not asking.
ACME_LIMITED_DIRECTORIES = environment.list(
    "ACME_LIMITED_DIRECTORIES", ["https://acme-v02.api.letsencrypt.org/directory"]
)
# Resolvers ("address" or "address:port") for looking at names before an order; empty: the machine's own.
DNS_SERVERS = environment.list("DNS_SERVERS", [])
POSTGRES_IMAGES = {"14.0": "postgres:13", "15.0": "postgres:13"} | dict.fromkeys(
    ["16.0", "17.0", "18.0", "19.0"], "postgres:17"
)
PGBOUNCER_IMAGE = environment.str("PGBOUNCER_IMAGE", "edoburu/pgbouncer:v1.24.1-p1")
TRAEFIK_IMAGE = environment.str("TRAEFIK_IMAGE", "traefik:v3.7")
# Where a server of the Red Hat family finds Docker: the address of a `.repo` file. Empty: only the package sources that
# the server has already are used, and nothing is added to it.
DOCKER_RPM_REPOSITORY = environment.str("DOCKER_RPM_REPOSITORY", "")
TOOL_IMAGE = environment.str("TOOL_IMAGE", "busybox:stable")
ODOO_IMAGE = environment.str("ODOO_IMAGE", "odoo:{version}")

# The largest repository, as it is transferred and as files.
GIT_MAXIMUM_MEGABYTES = environment.int("GIT_MAXIMUM_MEGABYTES", 4096)

# What a server may carry, what of its memory stays its own, and how long destroyed environments can be brought back.
ENVIRONMENTS_PER_SERVER = environment.int("ENVIRONMENTS_PER_SERVER", 10)
SERVER_RESERVED_MEGABYTES = environment.int("SERVER_RESERVED_MEGABYTES", 512)
DESTROYED_RETENTION = timedelta(days=environment.int("DESTROYED_RETENTION_DAYS", 7))

# How long a deployment waits for its Odoo to answer.
ODOO_HEALTH_SECONDS = environment.int("ODOO_HEALTH_SECONDS", 180)

OPERATION_LEASE_SECONDS = 10
OPERATION_HEARTBEAT_SECONDS = 3
OPERATION_LOG_RETENTION = timedelta(days=90)
OPERATION_LOG_MAXIMUM_LINES = 50_000
# A step that was told to stop and does not has its worker process ended after this time.
OPERATION_STOP_GRACE_SECONDS = 30
# How often an open websocket asks whether its person may still look (besides at every change of the person's rights).
OPERATION_RIGHTS_CHECK_SECONDS = 30

# Deliveries and mails that may be under way at once, so that slow receivers leave the workers to operations.
NOTIFICATION_SENDERS = environment.int("NOTIFICATION_SENDERS", 4)
NOTIFICATION_RETENTION = timedelta(days=environment.int("NOTIFICATION_RETENTION_DAYS", 90))
# Trusted besides the usual authorities by outgoing webhooks: a company's own.
WEBHOOK_CA_FILE = environment.str("WEBHOOK_CA_FILE", "")
