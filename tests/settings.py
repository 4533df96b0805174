"""The project's settings with throw-away secrets and places; services come from the environment."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from typing import Any

import dotenv

# A worker of xdist inherits what its parent set here, and must not share it.
_whose = os.environ.get("PYTEST_XDIST_WORKER", "main")
if os.environ.get("TESTS_OF") != _whose:
    os.environ["TESTS_OF"] = _whose
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="aggregator-tests-")
    os.environ["STORE_PREFIX"] = f"tests-{os.getpid()}"
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("ENCRYPTION_KEYS", "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMTI=")
os.environ.setdefault("ALLOW_PRIVATE_UPSTREAMS", "127.0.0.0/8,::1/128")
os.environ.setdefault("ANONYMOUS_PER_MINUTE", "1000000")


def _no_dotenv(*args: Any, **kwargs: Any) -> bool:
    """A developer's .env is not for tests: it may name a database that is in use."""
    return False


dotenv.load_dotenv = _no_dotenv

from aggregator.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["*"]
PROVIDER_KEYS = {}  # whose machine this is has keys of its own
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# Nothing is collected for a test run, and WhiteNoise warns about a folder that is not there.
STATIC_ROOT = DATA_DIR / "static"  # noqa: F405
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# A database of this run's own that threads and other processes can open too.
_database = DATABASES["default"]  # noqa: F405
_database["TEST"] = {
    "NAME": f"{DATA_DIR}/test.sqlite3"  # noqa: F405
    if _database["ENGINE"].endswith("sqlite3")
    else f"test_{os.getpid()}"
}
