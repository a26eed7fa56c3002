"""The site's settings on a data folder of the tests' own, removed when they end."""

import atexit
import os
import shutil
import tempfile

folder = tempfile.mkdtemp(prefix="itbench-tests-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ["ITBENCH_DATA_DIR"] = folder
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from itbench_site.settings import *  # noqa: E402, F403

# The real hasher takes a quarter of a second a user, by design.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
