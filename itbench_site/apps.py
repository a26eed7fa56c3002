"""Which of the installed packages' static files are served."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """All but what no page loads: compressing each file well takes a moment, and a start waits for it."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "*.js.map",  # those of a stylesheet must be there: it names them, and collecting would fail
        "asciinema-player-ui*",
        "asciinema-player-worker*",
        "asciinema-player.js",
        "rest_framework",
        "redoc",
        "swagger-ui-standalone-preset*",
        "oauth2-redirect*",
    ]
