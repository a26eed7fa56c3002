"""Where the API is found and tried: its index, its schema, a page to send requests from."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from drf_spectacular.plumbing import get_relative_url
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from leaderboard.api.descriptions import described_alone
from leaderboard.api.reading import Reading

LISTS = ("benchmarks", "tasks", "models", "evaluations", "runs")


@described_alone("index")
class IndexView(Reading, APIView):
    def get(self, request: Request) -> Response:
        lists = {name: reverse(f"api:{name}", request=request) for name in LISTS}
        return Response(
            {
                "url": request.build_absolute_uri(),
                "page": reverse("home", request=request),
                **lists,
                "board": lists["benchmarks"] + "{slug}/board/",
                "matrix": lists["benchmarks"] + "{slug}/matrix/",
                "turns": lists["runs"] + "{id}/turns/",
                "compare": reverse("api:compare", request=request) + "?benchmark={slug}&models={slug},{slug}",
                "schema": reverse("api:schema", request=request),
                "docs": reverse("api:docs", request=request),
                "requests_allowed": settings.ITBENCH_API_RATE,
            }
        )


def nowhere(request: HttpRequest) -> JsonResponse:
    index = request.build_absolute_uri(reverse("api:index"))
    return JsonResponse(
        {"detail": f"There is nothing at this address; {index} lists what there is."}, status=404
    )


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, in YAML, or in JSON with `?format=json`."""


class DocsView(SpectacularSwaggerSplitView):
    """A page to try the API. Its script has an address of its own: nothing inline, nothing from elsewhere."""

    template_name = "leaderboard/api/docs.html"
    title = "API"

    def _get_schema_url(self, request: Request) -> str:
        return str(get_relative_url(reverse("api:schema", request=request)))
