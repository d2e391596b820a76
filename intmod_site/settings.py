"""Every setting, read from the environment. Nothing needs to be set for development.

The README's table lists the variables. https://docs.djangoproject.com/en/5.2/ref/settings/
"""

import ipaddress
import secrets
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environ import Env

from intmod_site.database import database_settings
from intmod_site.keys import from_environment, read_key, read_ring, ring_file

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# ── Where and how ────────────────────────────────────────────────────────────────────────────

INTMOD_ENV = env.str("INTMOD_ENV", "development")
if INTMOD_ENV not in {"development", "production"}:
    raise ImproperlyConfigured("INTMOD_ENV is either development or production.")
PRODUCTION = INTMOD_ENV == "production"
DEBUG = env.bool("DEBUG", False) and not PRODUCTION
DATA_DIR = Path(env.str("INTMOD_DATA_DIR", str(BASE_DIR / "var")))
if not PRODUCTION:
    DATA_DIR.mkdir(parents=True, exist_ok=True)

ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Naming the proxies in front makes X-Forwarded-Proto count: let nobody else reach the port.
TRUSTED_PROXIES = [ipaddress.ip_network(cidr) for cidr in env.list("TRUSTED_PROXIES", default=[])]

# ── Keys: five of them, none derived from another ────────────────────────────────────────────

_keys = {"folder": DATA_DIR / "keys", "production": PRODUCTION}
SECRET_KEY = read_key("SECRET_KEY", **_keys)
JWT_SIGNING_KEYS = read_ring("JWT_SIGNING_KEYS", **_keys)
JWT_SIGNING_KEYS_FILE = ring_file("JWT_SIGNING_KEYS", folder=DATA_DIR / "keys")
FIELD_ENCRYPTION_KEYS = read_ring("FIELD_ENCRYPTION_KEYS", **_keys)
AUDIT_KEY = read_key("AUDIT_KEY", **_keys)
API_KEY_PEPPER = read_key("API_KEY_PEPPER", **_keys)
# What a Prometheus server sends as its Bearer token to /metrics.
METRICS_TOKEN = read_key("METRICS_TOKEN", **_keys)

# ── Apps ─────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "intmod_site.apps.SiteConfig",
    "intmod_site.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # After auth, which creates the permissions that these grant to roles.
    "authz.apps.AuthzConfig",
    "integrations.apps.IntegrationsConfig",
    "registry.apps.RegistryConfig",
    "csp",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
# Modules that add endpoints, middleware and validators of your own: see docs/extending.md.
INTMOD_EXTENSIONS = env.list("INTMOD_EXTENSIONS", default=[])

MIDDLEWARE = [
    "intmod_site.middleware.RequestContextMiddleware",
    "intmod_site.api.extensions.ExtensionMiddleware",
    # What follows is for everything but plain views.
    "intmod_site.plain_routes.PlainRouteMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "intmod_site.middleware.PageSessionMiddleware",
    "intmod_site.middleware.PageCommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "intmod_site.middleware.PageAuthenticationMiddleware",
    "intmod_site.middleware.PageMessageMiddleware",
    "intmod_site.middleware.PageCSPMiddleware",
]
ROOT_URLCONF = "intmod_site.urls"
WSGI_APPLICATION = "intmod_site.wsgi.application"
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
            ],
        },
    },
]

# ── Database ─────────────────────────────────────────────────────────────────────────────────

DATABASES = {
    "default": database_settings(
        from_environment("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'intmod.sqlite3'}"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── People ───────────────────────────────────────────────────────────────────────────────────

AUTH_USER_MODEL = "authz.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in [
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    ]
]
SESSION_COOKIE_AGE = env.int("ADMIN_SESSION_S", 4 * 3600)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# After so long the admin asks for the password again before access or secrets are changed.
ADMIN_CONFIRMED_FOR_S = env.int("ADMIN_CONFIRMED_FOR_S", 30 * 60)
# Tries of a password: for a name at one address within 5 minutes, and at all within an hour.
LOGIN_TRIES_AT_ADDRESS = env.int("LOGIN_TRIES_AT_ADDRESS", 5)
LOGIN_TRIES_EVERYWHERE = env.int("LOGIN_TRIES_EVERYWHERE", 50)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
LOGIN_URL = "admin:login"

# ── Tokens: issued by authz.identity.tokens, signed by simplejwt ─────────────────────────────

ACCESS_TOKEN_LIFETIME_S = 900
ACCESS_TOKEN_MAX_LIFETIME_S = 3600
REFRESH_TOKEN_LIFETIME_S = 14 * 86_400
TOKEN_AUDIENCE = "intmod-api"  # noqa: S105 -- a name
TOKEN_ISSUER = "intmod"  # noqa: S105 -- a name
TOKEN_LEEWAY_S = 10
# https://django-rest-framework-simplejwt.readthedocs.io/en/stable/settings.html
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    # Nobody's: our codec has its own ring, and what the library signs by itself counts nowhere.
    "SIGNING_KEY": secrets.token_urlsafe(48),
    "USER_ID_CLAIM": "sub",
    "UPDATE_LAST_LOGIN": False,
}

# ── API ──────────────────────────────────────────────────────────────────────────────────────

# Requests that each of these may make in a minute; none is set but for routes without a credential.
REQUESTS_PER_MINUTE = {
    kind: limit
    for kind, default in [
        ("address", 0), ("credential", 0), ("user", 0), ("project", 0), ("token_address", 120),
    ]
    if (limit := env.int(f"REQUESTS_PER_MINUTE_PER_{kind.upper()}", default)) > 0
}  # fmt: skip
REQUEST_BODY_LIMIT_BYTES = env.int("REQUEST_BODY_LIMIT_BYTES", 4 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = REQUEST_BODY_LIMIT_BYTES
# https://www.django-rest-framework.org/api-guide/settings/
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["authz.api.authentication.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["authz.api.permissions.ActionPermission"],
    "DEFAULT_PARSER_CLASSES": ["intmod_site.api.parser.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["intmod_site.api.envelope.EnvelopeRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["intmod_site.api.filters.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "intmod_site.api.pagination.KeysetPagination",
    # The schema describes the API; DRF's answer to OPTIONS would look objects up for it.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "intmod_site.api.schema.EnvelopeSchema",
    "EXCEPTION_HANDLER": "authz.api.denials.handle_exception",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": None,
    # `?format=` is a query parameter like any other: refused where a route does not know it.
    "URL_FORMAT_OVERRIDE": None,
}
# https://drf-spectacular.readthedocs.io/en/latest/settings.html
SPECTACULAR_SETTINGS = {
    "TITLE": "intmod",
    "DESCRIPTION": "Register AI models, call them through one API, prove who did what.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "MetricKindEnum": "registry.tasks.METRIC_KINDS",
        "WebhookEndpointStateEnum": "integrations.models.webhooks.WebhookEndpoint.State",
        "WebhookDeliveryStateEnum": "integrations.models.webhooks.WebhookDelivery.State",
        "ReceivedEventStateEnum": "integrations.models.inbound.ReceivedEvent.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "intmod_site.api.schema.add_plain_endpoints",
        "intmod_site.api.schema.wrap_in_envelope",
    ],
}

# ── The outside world ────────────────────────────────────────────────────────────────────────

# Private networks that integrations may call, as CIDRs; everything private is refused otherwise.
EGRESS_ALLOWED_NETWORKS = tuple(
    ipaddress.ip_network(cidr)
    for cidr in env.list(
        "EGRESS_ALLOWED_NETWORKS", default=[] if PRODUCTION else ["127.0.0.0/8", "::1/128"]
    )
)

# How long messages are kept, with their deliveries and attempts, and events that were received,
# once all have ended; and each attempt to call an external system.
WEBHOOK_KEPT_DAYS = env.int("WEBHOOK_KEPT_DAYS", 90)
CALL_LOG_KEPT_DAYS = env.int("CALL_LOG_KEPT_DAYS", 90)

# ── Durable work: `manage.py worker` ─────────────────────────────────────────────────────────

# How often each worker says that it lives, and how long its word counts: after that, others take
# over what it was doing.
WORKER_BEAT_S = env.float("WORKER_BEAT_S", 5)
WORKER_LEASE_S = env.float("WORKER_LEASE_S", 30)
# How long a worker that is told to end waits for the jobs under way.
WORKER_DRAIN_S = env.int("WORKER_DRAIN_S", 25)
# How long ended jobs and workers are kept.
ENGINE_KEPT_DAYS = env.int("ENGINE_KEPT_DAYS", 7)
# What each worker runs beside jobs, in threads of its own: name → a class, by dotted path.
WORKER_SERVICES = {
    "webhooks": "integrations.webhooks.worker_services.Delivering",
    "received events": "integrations.webhooks.worker_services.HandingOn",
}
# What runs by the clock, once whatever the number of workers: name → a function, by dotted path,
# and either how often (`every_s`) or when each day (`at`, UTC).
PERIODIC_JOBS: dict[str, dict[str, str | float]] = {
    "seal audit log": {"run": "authz.audit.seal.seal_periodically", "every_s": 60},
    "watch models": {"run": "registry.monitoring.jobs.run_all", "every_s": 30},
    "forget rates": {"run": "authz.limits.rates.forget_paid", "every_s": 3600},
    "forget holds": {"run": "authz.limits.call_limits.forget_ended_windows", "every_s": 3600},
    "forget idempotency keys": {"run": "authz.idempotency.replay.forget_expired", "every_s": 3600},
    "tidy response cache": {"run": "registry.inference.response_cache.tidy", "every_s": 600},
    "prune records": {"run": "integrations.retention.prune_records", "every_s": 3600},
    "prune jobs": {"run": "integrations.engine.retention.prune", "at": "03:20"},
}  # fmt: skip

# ── Calls of models ──────────────────────────────────────────────────────────────────────────

# How many each process answers at once; `manage.py serve` keeps threads back for everything else.
AI_CALLS_AT_ONCE = env.int("AI_CALLS_AT_ONCE", 0)
# How many more may wait a moment for one of these to end; `manage.py serve` adds their threads.
AI_CALLS_WAITING = env.int("AI_CALLS_WAITING", 0)

# Rows waiting to be written; 0 makes every caller write its own.
FLUSHER_QUEUE_ROWS = env.int("FLUSHER_QUEUE_ROWS", 10_000)
FLUSHER_INTERVAL_S = 0.2

# Spans go out where OpenTelemetry's own variables say; they need the extra `otel`.
# https://opentelemetry.io/docs/specs/otel/protocol/exporter/
TRACES_ENABLED = bool(
    env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "") or env.str("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
) and not env.bool("OTEL_SDK_DISABLED", False)

# ── Pages ────────────────────────────────────────────────────────────────────────────────────

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
if not PRODUCTION:
    # Development serves from the apps; WhiteNoise wants the folder of collectstatic all the same.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "intmod_site.formats"

# https://django-csp.readthedocs.io/en/latest/configuration.html
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# ── Transport security ───────────────────────────────────────────────────────────────────────

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    # Probes and scrapers inside the cluster speak plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# ── Logs: one JSON object a line ─────────────────────────────────────────────────────────────

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "intmod_site.logs.JSONFormatter"}},
    "handlers": {"stderr": {"class": "intmod_site.logs.BatchingHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "intmod": {"level": LOG_LEVEL},
        # Its message repeats each 4xx that the request line already tells.
        "django.request": {"level": "CRITICAL"},
        "django.server": {"level": "WARNING"},
    },
}
