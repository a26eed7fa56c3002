"""The worker: Huey's own command, without what only a web server needs."""

from typing import ClassVar

from huey.contrib.djhuey.management.commands import run_huey


class Command(run_huey.Command):  # type: ignore[misc]  # huey is untyped
    # The checks import every page, and with them pandas and plotly: 100 MB that no run ever uses.
    requires_system_checks: ClassVar[list[str]] = []
