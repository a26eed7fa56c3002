"""What pages are measured against: a view that makes one indexed query, in the same process as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.http import require_safe

from benchmarks.serving import ASK_QUERIES, CONTROL, QUERIES
from evals.models import LanguageModel


@require_safe
def one_query(request: HttpRequest) -> HttpResponse:
    model = LanguageModel.objects.get(slug="model-001")
    return JsonResponse({"slug": model.slug, "name": model.name})


class TellQueries:
    """Count the queries of a request that asks for it; one that is timed does not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if ASK_QUERIES not in request.headers:
            return self.get_response(request)
        statements: list[str] = []

        def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            statements.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            response = self.get_response(request)
        response.headers[QUERIES] = str(len(statements))
        return response


urlpatterns = [
    path(CONTROL.removeprefix("/"), one_query),
    path("", include("itbench_site.urls")),
]
