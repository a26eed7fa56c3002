"""Fill the search's index anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, transaction

from evals.search.index import reindex


class Command(BaseCommand):
    help = (
        "Fill the search's index anew from the stored runs. Triggers keep it in step; this is for a database"
        " that was restored or changed without them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            reindex(DEFAULT_DB_ALIAS)
        self.stdout.write("The search's index is filled anew.")
