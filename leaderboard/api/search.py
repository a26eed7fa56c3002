"""The search over runs, as on its page."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from evals.search.language import SearchError, parse_search
from leaderboard.api.descriptions import described_alone
from leaderboard.api.errors import wrong
from leaderboard.api.parameters import whole_number
from leaderboard.api.reading import Reading
from leaderboard.searching import FACETS, Found, FoundRun, find

MOST_PAGES = 10**6


@described_alone("search")
class SearchView(Reading, APIView):
    parameters = ("q", "page", *FACETS)

    def get(self, request: Request) -> Response:
        told = request.query_params
        page = whole_number("page", told.get("page", "1"), MOST_PAGES)
        chosen = {key: told.getlist(key) for key in FACETS}
        try:
            search = parse_search(told.get("q", "").replace("\0", " "))
        except SearchError as problem:
            raise wrong("q", str(problem)) from problem
        return Response(self.answer(request, find(request, search, chosen, page)))

    def answer(self, request: Request, found: Found) -> dict[str, Any]:
        return {
            "url": request.build_absolute_uri(),
            "page": request.build_absolute_uri(f"{reverse('search')}?{request.META['QUERY_STRING']}"),
            "count": found.total,
            "since_run": found.since or None,
            "pages": found.pages,
            "facets": {
                facet.key: {option.value: option.count for option in facet.options} for facet in found.facets
            },
            "results": [self.result(request, each) for each in found.runs],
        }

    def result(self, request: Request, each: FoundRun) -> dict[str, Any]:
        facts = each.facts
        return {
            "url": reverse("api:run", args=[facts.run], request=request),
            "page": reverse("run", args=[facts.run], request=request),
            "id": facts.run,
            "benchmark": facts.benchmark,
            "task": facts.task,
            "model": facts.model,
            "outcome": facts.outcome,
            "score": facts.score,
            "tags": list(facts.tags),
            "harness": facts.harness or None,
            "places": [
                {
                    "turn": excerpt.turn or None,
                    "call": excerpt.call or None,
                    "field": excerpt.field,
                    "excerpt": f"{excerpt.before}{excerpt.match}{excerpt.after}",
                }
                for excerpt in each.excerpts
            ],
        }
