"""
All settings, on one page, from the environment (and `.env` beside manage.py).

Every variable is described in `.env.example`; a test keeps the two in step. Nothing else in the
project reads the environment, and nothing copies a setting at import.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

from aggregator.env import Env

BASE_DIR = Path(__file__).resolve().parent.parent
load_dotenv(BASE_DIR / ".env")
env = Env()

# -- What this installation is ---------------------------------------------------------------

SANDBOX = env.flag("SANDBOX", False)
SANDBOX_PORT = env.whole("SANDBOX_PORT", 8900, least=1, most=65535)
# In the sandbox every upstream is http://127.0.0.1:SANDBOX_PORT/<host>/<path>.
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}" if SANDBOX else ""

# Everything that is written lives here; the sandbox has a place of its own.
DATA_DIR = Path(env.text("DATA_DIR") or BASE_DIR / "var") / ("sandbox" if SANDBOX else "")
LOG_DIR = DATA_DIR / "logs"
try:
    LOG_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR={DATA_DIR}: {error.strerror}") from None

DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY")
# Fernet keys for providers' credentials, newest first; `manage.py rotatekeys` re-encrypts.
ENCRYPTION_KEYS = [k.strip() for k in env.secret("ENCRYPTION_KEYS").split(",") if k.strip()]
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

# -- The chat --------------------------------------------------------------------------------

# Whether the worker trains a first model; until there is one the chat goes by its rules alone.
CHAT_BASE_MODEL = env.flag("CHAT_BASE_MODEL", True)
# Whether language models help: `auto` where rules and classifier are unsure, `words` with the
# words of answers too. Only one that is well is asked, and a stranger's only by consent.
CHAT_LLM = env.choice("CHAT_LLM", "off", ("off", "auto", "words"))
# Seconds that they may delay an answer by, all of their calls together.
CHAT_LLM_BUDGET_S = env.whole("CHAT_LLM_BUDGET_S", 3, least=1, most=60)

# -- Who may ask, and how often --------------------------------------------------------------

ANONYMOUS_ACCESS = env.flag("ANONYMOUS_ACCESS", True)
ANONYMOUS_PER_MINUTE = env.whole("ANONYMOUS_PER_MINUTE", 120, least=1)
# Proxies of ours in front, counted from the right of X-Forwarded-For; 0 trusts nobody.
TRUSTED_PROXY_HOPS = env.whole("TRUSTED_PROXY_HOPS", 0, most=10)
# Who may read /metrics: `key` whoever has a client key, `open` everybody, `off` nobody.
METRICS = env.choice("METRICS", "key", ("key", "open", "off"))
CORS_ALLOW_ORIGIN = env.text("CORS_ALLOW_ORIGIN", "*")

# -- The way out -----------------------------------------------------------------------------

# Private networks that upstreams may live in; loopback counts only when listed by itself.
ALLOW_PRIVATE_UPSTREAMS = env.networks("ALLOW_PRIVATE_UPSTREAMS")
UPSTREAM_PATIENCE_S = env.whole("UPSTREAM_PATIENCE_S", 8, least=1, most=120)
# A text takes its time: within so many seconds a language model's answer is complete or given up.
LLM_PATIENCE_S = env.whole("LLM_PATIENCE_S", 60, least=1, most=600)
# Calls of all providers together, of every process; 0 counts nothing.
GLOBAL_CALLS_PER_MINUTE = env.whole("GLOBAL_CALLS_PER_MINUTE", 0)
# Providers' keys by variable, beside those of the admin; whose each is stands in providers.yaml
# (key_env). The sandbox takes throw-away ones alone: a real key never goes there.
PROVIDER_KEYS = env.keys(
    [
        "COINGECKO_PRO_API_KEY",
        "COINGECKO_DEMO_API_KEY",
        "COINMARKETCAP_API_KEY",
        "CMC_PRO_API_KEY",
        "CRYPTOCOMPARE_API_KEY",
        "COINDESK_API_KEY",
        "COINCAP_API_KEY",
        "NEWSAPI_KEY",
        "CRYPTOPANIC_API_KEY",
        "ETHERSCAN_API_KEY",
        "ETHERSCAN_API_KEY_2",
        "FRED_API_KEY",
        "ALPHA_VANTAGE_API_KEY",
        "HF_TOKEN",
        "GROQ_API_KEY",
        "OPENROUTER_API_KEY",
        "CEREBRAS_API_KEY",
        "GEMINI_API_KEY",
        "MISTRAL_API_KEY",
        "NVIDIA_API_KEY",
        "COHERE_API_KEY",
        "DEEPSEEK_API_KEY",
        "TOGETHER_API_KEY",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "G4F_API_KEY",
        "VLLM_API_KEY",
    ],
    prefix="sandbox-" if SANDBOX else "",
)

# -- Reading texts ---------------------------------------------------------------------------

# Who reads what is sent to /api/sentiment/analyze: see docs/sentiment.md.
SENTIMENT_METHOD = env.choice(
    "SENTIMENT_METHOD", "auto", ("auto", "lexicon", "huggingface", "local")
)
SENTIMENT_MODEL = env.text("SENTIMENT_MODEL", "ProsusAI/finbert")
if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", SENTIMENT_MODEL, re.ASCII):
    raise ImproperlyConfigured(f"SENTIMENT_MODEL={SENTIMENT_MODEL}: use owner/name")
SENTIMENT_LOCAL_MODEL = env.text("SENTIMENT_LOCAL_MODEL")

# -- The server ------------------------------------------------------------------------------

# `manage.py start` hands these three to the Procfile.
HOST = env.text("HOST") or "127.0.0.1"
PORT = env.whole("PORT", 8000, least=1, most=65535)
WEB_WORKERS = env.whole("WEB_WORKERS", 1, least=1, most=64)
WEB_THREADS = env.whole("WEB_THREADS", 128, least=1, most=1024)  # misses under way at once
WEB_QUEUE = env.whole("WEB_QUEUE", 32, most=1024)  # misses that may wait for a thread

ROOT_URLCONF = "aggregator.urls"
WSGI_APPLICATION = "aggregator.wsgi.application"
APPEND_SLASH = False  # both spellings are routed: see aggregator/urls.py
INSTALLED_APPS = [
    "aggregator",
    "providers",
    "monitoring",
    "chat",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "aggregator.security.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "aggregator.pages.site",
            ],
        },
    },
]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# -- Rows ------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASE_URL = env.text("DATABASE_URL")
# Is this a process that works rather than one that serves?
WORKER = env.flag("WORKER", False)
if sys.argv[1:2] in (["qcluster"], ["qguard"], ["runchecks"]):
    WORKER = True
# Writers queue up at BEGIN instead of failing in the middle; readers never wait (WAL).
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
        "PRAGMA cache_size=-512; PRAGMA journal_size_limit=67108864;"
    ),
}


def _database(url: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL: {error}") from None
    if SANDBOX and DATABASE_URL:
        found["NAME"] += "_sandbox"
    if found["ENGINE"] == "django.db.backends.sqlite3":
        # A thread of the web keeps its connection: to open and close one costs more than a miss
        # may take. A worker forks, and a child must not have its parent's.
        lasting = 0 if WORKER else None
        return found | {"OPTIONS": SQLITE_OPTIONS, "CONN_MAX_AGE": lasting}
    if found["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL: use postgres:// or sqlite://")
    # The web uses a pool of connections; a worker process holds one for as long as it likes.
    if WORKER:
        return found | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    pool = {"min_size": 1, "max_size": 12, "timeout": 5}
    return found | {"OPTIONS": found.get("OPTIONS", {}) | {"pool": pool}}


DATABASES = {"default": _database(DATABASE_URL or f"sqlite:///{DATA_DIR / 'aggregator.sqlite3'}")}

# -- The shared store ------------------------------------------------------------------------

REDIS_URL = env.text("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL: use redis://host:port/db")
STORE_PREFIX = env.text("STORE_PREFIX", "aggregator") + (":sandbox" if SANDBOX else "")
_LOCAL_CACHE = {
    "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
    "LOCATION": DATA_DIR / "cache",
}
_REDIS_CACHE = {
    "BACKEND": "django_redis.cache.RedisCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": STORE_PREFIX,
    "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
}
CACHES: dict[str, dict[str, Any]] = {"default": _REDIS_CACHE if REDIS_URL else _LOCAL_CACHE}

# -- The worker ------------------------------------------------------------------------------

# Touched after every task; `manage.py qguard` names one of its own.
HEARTBEAT_FILE = env.text("HEARTBEAT_FILE")
_TIMEOUT, _WORKERS, _BULK, _QUEUE_LIMIT, _GUARD_CYCLE = 55, 2, 1, 2, 1
Q_CLUSTER: dict[str, Any] = {
    "name": STORE_PREFIX,
    "label": "Jobs",
    "cache": "default",
    "workers": _WORKERS,
    "bulk": _BULK,
    "queue_limit": _QUEUE_LIMIT,
    "timeout": _TIMEOUT,
    # A task is locked from the moment it is prefetched, so the lock must outlast those before
    # it: (timeout + 3 + guard_cycle) x (1 + ceil((queue_limit + bulk) / workers)) + 30.
    "retry": (_TIMEOUT + 3 + _GUARD_CYCLE) * (1 + -(-(_QUEUE_LIMIT + _BULK) // _WORKERS)) + 30,
    "guard_cycle": _GUARD_CYCLE,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 50,
    "save_limit_per": "func",
    "recycle": 200,
    "max_rss": 400_000,
    "compress": False,
    "ALT_CLUSTERS": {},
}
if REDIS_URL:
    Q_CLUSTER |= {"redis": REDIS_URL, "max_attempts": 1}
else:
    Q_CLUSTER |= {"orm": "default", "poll": 1, "max_attempts": 3}

# -- The API ---------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "EXCEPTION_HANDLER": "aggregator.api.errors.handler",
    "DEFAULT_RENDERER_CLASSES": [
        "aggregator.api.renderers.ExactJSONRenderer",
        "aggregator.api.renderers.PeopleRenderer",
    ],
    "DEFAULT_AUTHENTICATION_CLASSES": ["aggregator.api.clients.ClientKeyAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["aggregator.api.throttles.ClientThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["aggregator.api.clients.MayAsk"],
    "DEFAULT_SCHEMA_CLASS": "aggregator.api.schema.Schema",
    "URL_FORMAT_OVERRIDE": "format",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Aggregator",
    "DESCRIPTION": (
        "One dependable API in front of many public data providers. Every answer says in `meta` "
        "who gave it, how old it is and who was passed over; every error has one shape (RFC 9457)."
    ),
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "TAGS": [
        {"name": "data", "description": "Market data, each answer with its source and age."},
        {"name": "chat", "description": "Questions in plain words, answered from the same data."},
        {"name": "system", "description": "The gateway and its providers."},
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Fields that share a name and differ in what they may be. Programs made of the document call
    # their types so: a name once given stays.
    "ENUM_NAME_OVERRIDES": {
        "EndpointKindEnum": "providers.health.Kind",
        "ModelCategoryEnum": "providers.aimodels.Category",
        "ModelStatusEnum": "providers.aimodels.ModelStatus",
        "QuestionCategoryEnum": "chat.models.conversations.CATEGORIES",
        "StatusEnum": "aggregator.api.schema.STATUSES",
    },
    "PREPROCESSING_HOOKS": ["aggregator.api.schema.without_slashes"],
    "SERVE_INCLUDE_SCHEMA": False,
    # The document and its pages are no data: a browser opens them before it has a key.
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "displayRequestDuration": True,
        "defaultModelsExpandDepth": 0,
        "persistAuthorization": False,
        "validatorUrl": None,  # it would send the document to somebody else's server
    },
}

# -- Security --------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("HTTPS", False)
if env.flag("HTTPS", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "aggregator.formats"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# -- Logs ------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ImproperlyConfigured(f"LOG_LEVEL={LOG_LEVEL}: use DEBUG, INFO, WARNING or ERROR")


def _rotating(name: str) -> dict[str, Any]:
    return {
        "class": "providers.logs.SharedRotatingFileHandler",
        "filename": LOG_DIR / f"{name}.log",
        "maxBytes": 5_000_000,
        "backupCount": 5,
        "formatter": "structured",
        "filters": ["redacted"],
        "delay": True,
    }


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"structured": {"()": "providers.logs.StructuredFormatter"}},
    "filters": {"redacted": {"()": "providers.logs.RedactingFilter"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "structured",
            "filters": ["redacted"],
        },
        "rotation": _rotating("provider_rotation"),
        "failures": _rotating("provider_failures"),
        "health": _rotating("provider_health"),
    },
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        # Which provider answered or was passed over, what failed, and how circuits moved.
        "providers.rotation": {"handlers": ["rotation"], "level": "INFO"},
        "providers.failures": {"handlers": ["failures"], "level": "INFO"},
        "providers.health": {"handlers": ["health"], "level": "INFO"},
        # Four lines for each of its jobs, some ten a minute, bury what is worth reading.
        "django-q": {"level": "WARNING" if LOG_LEVEL == "INFO" else LOG_LEVEL},
        # Bad requests are told to who sent them; only what we did wrong is worth a line.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.csrf": {"level": "ERROR"},
        "django.server": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
    },
}
