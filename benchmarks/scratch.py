"""Importing this sets Django up on a data folder of its own, which is removed at the end."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import django

FOLDER = Path(tempfile.mkdtemp(prefix="itbench-bench-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ["ITBENCH_DATA_DIR"] = str(FOLDER)
os.environ["DJANGO_SETTINGS_MODULE"] = "itbench_site.settings"
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
django.setup()
