"""Which of the installed packages' static files are served."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """All but what no page loads: compressing each file well takes a moment, and a start waits for it."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "*.map",
        "asciinema-player-ui*",
        "asciinema-player-worker*",
        "asciinema-player.js",
        "rest_framework",
    ]
