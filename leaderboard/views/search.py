"""Search over all runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from evals.search.language import MOST_CHARACTERS, SearchError, parse_search
from leaderboard.searching import FACETS, find
from leaderboard.views.runs import whole_number

EXAMPLES = (
    (
        "command:NetworkPolicy -answer:NetworkPolicy",
        "runs that looked at NetworkPolicy and never submitted it",
    ),
    ('output:"connection refused"', "where a connection was refused"),
    ("message:chaos* -command:chaos*", "chaos in the model's words, and in no command"),
    ("flagd-config", "the flags' ConfigMap, anywhere"),
)


@require_safe
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    chosen = {key: request.GET.getlist(key)[:50] for key in FACETS}
    context = {"nav": "search", "text": text[:MOST_CHARACTERS], "examples": EXAMPLES, "asked": bool(text)}
    try:
        wanted = parse_search(text.replace("\0", " "))
    except SearchError as problem:
        return render(request, "leaderboard/search.html", context | {"problem": str(problem)}, status=400)
    if text or any(chosen.values()):
        page = whole_number(request.GET.get("page", ""), 1)
        context |= {"found": find(request, wanted, chosen, page), "terms": wanted.positive}
    return render(request, "leaderboard/search.html", context)
