"""Pages without data, and what operators' machines ask."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
def methodology(request: HttpRequest) -> HttpResponse:
    return render(request, "leaderboard/methodology.html", {"nav": "methodology"})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("img/logo.svg"), permanent=False)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The server answers; says nothing of the database."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """The database is there and has every table that this version needs."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return HttpResponse("database unreachable", status=503, content_type="text/plain")
    if missing:
        return HttpResponse("migrations missing", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
