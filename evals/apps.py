from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EvalsConfig(AppConfig):
    name = "evals"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Evaluations"

    def ready(self) -> None:
        post_migrate.connect(install_triggers, sender=self)


def install_triggers(using: str, **_: Any) -> None:
    # Imported here: models can be imported only once all apps are ready.
    from evals import triggers
    from evals.search import index

    triggers.install(using)
    index.install(using)
