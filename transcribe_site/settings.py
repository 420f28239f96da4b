"""All settings, from the environment alone. ``.env.example`` lists every variable."""

from __future__ import annotations

from datetime import timedelta

import tzlocal
from celery.schedules import schedule
from django.core.exceptions import ImproperlyConfigured

from transcribe_site import environment as env
from transcribe_site import steady
from transcribe_site.static_version import static_version

BASE_DIR = env.BASE_DIR
DATA_DIR = env.path("DATA_DIR", BASE_DIR / "var")

# --- who is served, and where ---

HOST = env.text("HOST", "127.0.0.1")
PORT = env.whole("PORT", 8000)
LOOPBACK = HOST in env.LOOPBACK_NAMES
HTTPS = env.flag("HTTPS")
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key(DATA_DIR)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
if not LOOPBACK and HOST not in ("0.0.0.0", "::"):  # noqa: S104
    ALLOWED_HOSTS.append(HOST)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Only behind a proxy of ours that sets it: anybody else could forge the header.
TRUSTED_PROXY = env.text("TRUSTED_PROXY")
# On this machine's own address, with nobody else who could sign in, one local user is signed
# in by itself. Reached by others, directly or through a proxy here, everybody signs in.
PRIVATE = LOOPBACK and not HTTPS and not TRUSTED_PROXY and env.all_loopback(ALLOWED_HOSTS)
REQUIRE_LOGIN = env.flag("REQUIRE_LOGIN", default=not PRIVATE)
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "axes",
    "videos",
]

MIDDLEWARE = [
    "transcribe_site.middleware.say_alive",
    "videos.api.errors.in_json",  # outside of all that may refuse
    "django.middleware.security.SecurityMiddleware",
    "transcribe_site.middleware.security_headers",
    "transcribe_site.middleware.compress_static",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "videos.views.errors.say_refusal",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "videos.local_user.sign_in_local_user",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "videos.views.errors.say_not_done",
    "videos.views.errors.say_gone",
    "axes.middleware.AxesMiddleware",  # the last one: it answers for a sign-in that is locked
]

ROOT_URLCONF = "transcribe_site.urls"
WSGI_APPLICATION = "transcribe_site.wsgi.application"
APPEND_SLASH = False  # a redirect for a slash breaks API clients; pages name their URLs in full

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

# --- where things are kept ---

DATABASES = {"default": env.database(DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# It holds the counters of limits, which nobody may push out by making many.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

MEDIA_ROOT = DATA_DIR / "media"
DERIVED_ROOT = DATA_DIR / "derived"
INCOMING_ROOT = DATA_DIR / "incoming"  # on the media's own file system: adopting is a rename
TEMP_ROOT = DATA_DIR / "tmp"
# Modules import each other by relative names, so the version stands before all of them.
STATIC_URL = "/static/" if DEBUG else f"/static/{static_version(BASE_DIR / 'static')}/"
STATIC_ROOT = env.path("STATIC_ROOT", DATA_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
# Files are served as they lie in the tree: no collectstatic before the first page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0


def WHITENOISE_IMMUTABLE_FILE_TEST(path: str, url: str) -> bool:  # noqa: N802 - a setting
    """What lies below a version never changes."""
    return not DEBUG


# --- limits, all said on the form ---

MAX_UPLOAD_BYTES = int(env.number("MAX_UPLOAD_GB", 20, least=0.001) * 1024**3)
MAX_VIDEO_MS = int(env.number("MAX_VIDEO_HOURS", 12, least=0.001) * 3_600_000)
MIN_FREE_BYTES = int(env.number("MIN_FREE_GB", 1) * 1024**3)
MAX_FILES_AT_ONCE = env.whole("MAX_FILES_AT_ONCE", 50, least=1)
FILE_UPLOAD_HANDLERS = ["videos.uploads.PartFileHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = 2 * MAX_FILES_AT_ONCE
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2500  # a replacement names each of 2,000 lines
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# For each account, whichever key it uses; 0: no limit.
API_REQUESTS_PER_MINUTE = env.whole("API_REQUESTS_PER_MINUTE", 1200)
API_UPLOADS_PER_DAY = env.whole("API_UPLOADS_PER_DAY", 2000)

# --- calling addresses that users name: videos by URL, webhooks ---

FETCH_URLS = env.flag("FETCH_URLS", default=True)
# What may be called beyond the public internet, at any port: host names and networks.
FETCH_ALLOW_HOSTS, FETCH_ALLOW_NETWORKS = env.hosts_and_networks("FETCH_ALLOW")
FETCH_SECONDS = env.number("FETCH_MINUTES", 120, least=0.01) * 60
FETCH_STALL_SECONDS = env.number("FETCH_STALL_SECONDS", 60, least=0.1)
WEBHOOK_SECONDS = env.number("WEBHOOK_SECONDS", 10, least=0.1)
WEBHOOK_HOURS = env.number("WEBHOOK_HOURS", 24, least=0)

# --- engines ---

# Empty: the best that is available.
DEFAULT_ENGINE = env.one_of("ENGINE", ("", "whisper", "sphinx", "twelvelabs"))
WHISPER_MODEL = env.text("WHISPER_MODEL", "base")
FETCH_MODELS = env.flag("FETCH_MODELS", default=True)
HUB_URL = env.text("HF_ENDPOINT")
MODEL_STALL_SECONDS = env.number("MODEL_STALL_SECONDS", 60, least=1)
CORES = env.cores()
WEB_THREADS = 8  # requests that are answered at once; half of them may wait for a probe
# The key stays in the environment: no row, no backup and no page ever holds it.
TWELVELABS_API_KEY = env.token("TWELVELABS_API_KEY")
TWELVELABS_VERSION = env.one_of("TWELVELABS_VERSION", ("v1.3", "v1.2", "v1.1"))
TWELVELABS_BASE_URL = env.address("TWELVELABS_BASE_URL", "https://api.twelvelabs.io")
# Their newer SDKs read the same variable with the version in it.
TWELVELABS_BASE_URL = env.without_version(TWELVELABS_BASE_URL)
TWELVELABS_MODEL = env.text("TWELVELABS_MODEL")
TWELVELABS_POLL_SECONDS = env.number("TWELVELABS_POLL_SECONDS", 5, least=0.1)
TWELVELABS_TIMEOUT_SECONDS = env.number("TWELVELABS_TIMEOUT_SECONDS", 60, least=1)
TWELVELABS_DEADLINE_HOURS = env.number("TWELVELABS_DEADLINE_HOURS", 24, least=0.001)
TWELVELABS_DELETE = env.flag("TWELVELABS_DELETE", default=True)
TWELVELABS_WEBHOOK_SECRET = env.token("TWELVELABS_WEBHOOK_SECRET")
ENGINE_MEMORY_BYTES = int(env.number("ENGINE_MEMORY_GB", 6, least=0.5) * 1024**3)

METRICS_TOKEN = env.token("METRICS_TOKEN")  # empty: /metrics is for signed-in staff alone

# --- the pipeline's clockwork (seconds) ---

HEARTBEAT_SECONDS = env.number("HEARTBEAT_SECONDS", 10, least=0.1)
LEASE_SECONDS = env.number("LEASE_SECONDS", 60, least=0.5)
if HEARTBEAT_SECONDS * 2 > LEASE_SECONDS:
    raise ImproperlyConfigured("LEASE_SECONDS must be at least twice HEARTBEAT_SECONDS")
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 5, least=0.2)
# `serve` starts a worker again that has not swept for so long. Far above the longest small step.
WORKER_MUTE_SECONDS = env.number("WORKER_MUTE_SECONDS", max(300, 10 * SWEEP_SECONDS), least=1)
# Of each worker: how many tasks may listen to speech at once, how many may be sent to a cloud, and
# how many small steps of each kind beside them.
SPEECH_SLOTS = env.whole("SPEECH_SLOTS", 1, least=1)
SENDING_SLOTS = env.whole("SENDING_SLOTS", 2, least=1)
LIGHT_SLOTS = env.whole("LIGHT_SLOTS", 2, least=1)
FETCH_SLOTS = env.whole("FETCH_SLOTS", 2, least=1)
# And how many waveforms and thumbnails, and how many playable copies: at a low priority.
PICTURE_SLOTS = env.whole("PICTURE_SLOTS", 1, least=1)
COPY_SLOTS = env.whole("COPY_SLOTS", 1, least=1)
TASK_DEADLINE_HOURS = env.number("TASK_DEADLINE_HOURS", 72, least=0.001)
CLEAN_MINUTES = env.number("CLEAN_MINUTES", 10)
PART_FILE_HOURS = env.number("PART_FILE_HOURS", 24, least=0)

_broker_url, _broker_options = env.broker(DATA_DIR)
CELERY_BROKER_URL = _broker_url
CELERY_BROKER_TRANSPORT_OPTIONS = _broker_options
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are none that beat would have to clean up
CELERY_TASK_ACKS_LATE = True
# A message whose worker died is not put back: the sweep finds the row. No message loops.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Of small steps there are three kinds. And 3 more: webhooks, deletions in a cloud, and the sweep,
# which comes through though all slots are taken.
CELERY_WORKER_CONCURRENCY = 3 + sum(
    (SPEECH_SLOTS, SENDING_SLOTS, 3 * LIGHT_SLOTS, FETCH_SLOTS, PICTURE_SLOTS, COPY_SLOTS)
)
CELERY_WORKER_POOL = "threads"  # the work itself runs in child processes; a thread only waits
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_DEFAULT_QUEUE = "transcribe"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # keeps no file that a kill could damage
# Beat counts by the machine's clock otherwise, and waits for as long as that is set back.
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "videos.tasks.sweep",
        "schedule": schedule(SWEEP_SECONDS, nowfun=steady.now),
    }
}
CELERY_BEAT_MAX_LOOP_INTERVAL = max(1, min(SWEEP_SECONDS, 5))

# Faults on purpose, for the tests: FAILPOINT is read only when this is on.
ALLOW_FAILPOINTS = env.flag("ALLOW_FAILPOINTS")
FAILPOINT = env.text("FAILPOINT") if ALLOW_FAILPOINTS else ""

# --- signing in ---

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Ten wrong passwords for one name from one address: wait. Counted in the database, so that
# every process knows; a name alone is never locked, or anybody could lock out anybody.
AXES_FAILURE_LIMIT = env.whole("LOGIN_TRIES", 10, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("LOGIN_WAIT_MINUTES", 15, least=0.01))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "videos.views.account.network_of"
AXES_LOCKOUT_CALLABLE = "videos.views.errors.too_many_tries"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "library"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "videos.views.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if HTTPS:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # Without a proxy that is believed no request looks like https, and each would be redirected.
    SECURE_SSL_REDIRECT = env.flag("SSL_REDIRECT", default=bool(TRUSTED_PROXY))
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

# --- words and time ---

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = env.text("TIME_ZONE") or tzlocal.get_localzone_name() or "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "videos": {"level": env.text("LOG_LEVEL", "INFO").upper()},
        "kombu": {"level": "ERROR"},  # it misses a host name in the address of a folder
    },
}
