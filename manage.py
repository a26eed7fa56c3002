#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists the commands."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itbench_site.settings")
# Keeps litellm from fetching its list of model prices when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError


def main() -> None:
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        give_up(f"Settings: {problem}")
    except (OperationalError, ProgrammingError) as problem:
        give_up(f"Database: {problem}. Is it running, and migrated with `manage.py migrate`?")


def give_up(sentence: str) -> None:
    sys.stderr.write(sentence.replace("\n", " ") + "\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
