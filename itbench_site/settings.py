"""The one settings file. Every choice comes from the environment; docs/settings.md lists them all."""

from __future__ import annotations

from pathlib import Path

import dj_database_url

from itbench_site import env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where data lives, and how much of it -------------------------------------------------------

ITBENCH_DATA_DIR = env.folder("ITBENCH_DATA_DIR", BASE_DIR / "var")
ITBENCH_DATA_DIR.mkdir(parents=True, exist_ok=True)

DATABASE_URL = env.url("DATABASE_URL", ("sqlite", "postgres", "postgresql"))
REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"))

SQLITE_OPTIONS = {
    # Writers queue for the lock instead of failing in the middle of a transaction.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;"
    "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;",
}

DATABASES = {
    "default": env.parsed(
        "DATABASE_URL",
        lambda: dj_database_url.parse(DATABASE_URL or f"sqlite:///{ITBENCH_DATA_DIR / 'site.sqlite3'}"),
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    # Threads of a test must see one database: a file, never the private in-memory one.
    DATABASES["default"]["TEST"] = {"NAME": str(ITBENCH_DATA_DIR / "test.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = 60

# --- The queue and its workers --------------------------------------------------------------------

ITBENCH_WORKERS = env.whole_number("ITBENCH_WORKERS", 8)

HUEY = {
    "name": "itbench",
    "immediate": False,  # Left out, Huey runs jobs inside the web request when DEBUG is on.
    "results": False,
    "consumer": {
        "workers": ITBENCH_WORKERS,
        "worker_type": "thread",
        "initial_delay": 0.05,
        # An idle worker looks again after this many seconds: what a queued evaluation waits at most.
        "max_delay": 0.25,
        "check_worker_health": True,
    },
}
if REDIS_URL:
    HUEY |= {"huey_class": "huey.RedisHuey", "connection": {"url": REDIS_URL}}
else:
    HUEY |= {
        "huey_class": "huey.SqliteHuey",
        "connection": {"filename": str(ITBENCH_DATA_DIR / "queue.sqlite3"), "timeout": 30},
    }

# --- Evaluations ------------------------------------------------------------------------------------

ITBENCH_SANDBOX = env.choice("ITBENCH_SANDBOX", "auto", ("auto", "docker", "bubblewrap", "process"))
ITBENCH_SANDBOX_IMAGE = env.text("ITBENCH_SANDBOX_IMAGE", "itbench-sandbox:1")
ITBENCH_SANDBOX_MEMORY_MB = env.whole_number("ITBENCH_SANDBOX_MEMORY_MB", 2048, least=64)
# A run whose worker has not been heard of for so long is claimed by another worker.
ITBENCH_LOST_AFTER_S = env.whole_number("ITBENCH_LOST_AFTER_S", 60, least=5)

# --- The web ----------------------------------------------------------------------------------------

DEBUG = env.flag("ITBENCH_DEBUG", default=False)
SECRET_KEY = env.secret_key("ITBENCH_SECRET_KEY", ITBENCH_DATA_DIR / "secret-key")
ALLOWED_HOSTS = env.names("ITBENCH_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.names("ITBENCH_TRUSTED_ORIGINS", "")
ITBENCH_HTTPS = env.flag("ITBENCH_HTTPS", default=False)

ROOT_URLCONF = "itbench_site.urls"
WSGI_APPLICATION = "itbench_site.wsgi.application"

INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "itbench_site.apps.StaticFiles",
    "django.contrib.humanize",
    "django_htmx",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "evals",  # before djhuey: its run_huey is the one that runs
    "leaderboard",
    "huey.contrib.djhuey",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "leaderboard.middleware.ContentSecurityPolicy",
    "leaderboard.middleware.RefuseNul",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

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

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ITBENCH_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ITBENCH_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if ITBENCH_HTTPS else 0
# The proxy in front redirects to HTTPS; other hosts of its domain, and browsers' lists, are not ours to bind.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Of a file of runs that staff hand in.
ITBENCH_IMPORT_LIMIT_MB = env.whole_number("ITBENCH_IMPORT_LIMIT_MB", 512, least=1)
FILE_UPLOAD_HANDLERS = [
    "leaderboard.uploads.RefuseTooLarge",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Static files: ours, and the browser libraries that npm brought by name -----------------------

STATIC_URL = "static/"
STATIC_ROOT = ITBENCH_DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
BROWSER_LIBRARIES = {
    "plotly": BASE_DIR / "node_modules" / "plotly.js-cartesian-dist-min",
    "asciinema-player": BASE_DIR / "node_modules" / "asciinema-player" / "dist" / "bundle",
}
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *((f"vendor/{name}", path) for name, path in BROWSER_LIBRARIES.items() if path.is_dir()),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "itbench_site.storage.StaticStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
# Each file once, under the name with its hash: half the files to compress, and none that changes unseen.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# A page must not fall over for a picture that nobody collected yet.
WHITENOISE_MANIFEST_STRICT = False

# Pages kept while nothing they show has changed, in each process; a key is made of the data.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "TIMEOUT": 3600,
        "OPTIONS": {"MAX_ENTRIES": 500},
    },
}

# --- Logs: one line an event, to stderr -------------------------------------------------------------

LOG_LEVEL = env.choice("ITBENCH_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "evals": {"handlers": ["stderr"], "level": LOG_LEVEL, "propagate": False},
        "huey": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}

# --- The API ----------------------------------------------------------------------------------------

# Of one visitor; counted in the memory of each server process.
ITBENCH_API_RATE = env.rate("ITBENCH_API_RATE", "600/min")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["leaderboard.api.throttling.VisitorThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "leaderboard.api.errors.one_sentence",
    # Whose address is counted: the one our proxy saw, and never what a visitor claims.
    "NUM_PROXIES": 1 if ITBENCH_HTTPS else 0,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "ITBench leaderboard",
    "DESCRIPTION": "What the pages show, as JSON. Read-only; unknown is null; times are UTC.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Staff sign in on the site; there is nothing to fill in on the page to try it.
    "AUTHENTICATION_WHITELIST": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "EvaluationState": "evals.models.EvaluationState",
        "RunState": "evals.models.RunState",
        "TurnKind": "leaderboard.api.trajectories.TURN_KINDS",
        "VerdictKind": "leaderboard.api.trajectories.VERDICT_KINDS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "leaderboard.api.schema.with_common_answers",
    ],
}
