"""The worker: Huey's own command, without what only a web server needs."""

from huey.contrib.djhuey.management.commands import run_huey


class Command(run_huey.Command):
    # The checks import every page, and with them pandas and plotly: 100 MB that no run ever uses.
    requires_system_checks = []  # noqa: RUF012 - Django's own way to say "none"
