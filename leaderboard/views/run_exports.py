"""A run as a file: made while it is sent, and not sent again to who has it already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.http import (
    HttpRequest,
    HttpResponseBadRequest,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from evals.exchange.json_text import json_text, utf8
from evals.exchange.run_facts import exported_runs, run_facts
from evals.models import Run, RunState
from evals.runner.manifest import our_version
from leaderboard.audience import visible_runs
from leaderboard.run_files import RUN_FILES, file_name
from leaderboard.run_html import html_pieces, policy

AT_REST = (RunState.ENDED, RunState.ERRORED, RunState.CANCELLED)


@require_safe
def run_file(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    return answer(request, pk, kind)


@require_safe
def markdown(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Long texts are cut unless `?full=1` asks for all of them."""
    full = request.GET.get("full")
    if full not in (None, "1"):
        return HttpResponseBadRequest(
            "full: use 1, or leave it out.\n", content_type="text/plain; charset=utf-8"
        )
    return answer(request, pk, "whole-markdown" if full else "markdown")


@require_safe
def html(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The page holds no script; the browser is told to run none, and to take no style but the page's own."""
    response = answer(request, pk, "html")
    response.headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
    return response


def answer(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    run = get_object_or_404(visible_runs(request, exported_runs()), pk=pk)
    response = StreamingHttpResponse(pieces_for(request, run, kind), RUN_FILES[kind].content_type)
    response.headers["Content-Disposition"] = f'inline; filename="{file_name(run, kind)}"'
    patch_cache_control(response, private=True, no_cache=True)
    if run.state not in AT_REST:
        return response
    response.headers["ETag"] = etag_of(run, kind)
    streamed: Any = response  # the stubs know of no streamed one
    return get_conditional_response(request, etag=response.headers["ETag"], response=streamed) or response


def pieces_for(request: HttpRequest, run: Run, kind: str) -> Iterator[bytes]:
    if request.method == "HEAD":
        return iter(())
    pieces = RUN_FILES[kind].pieces
    if kind == "html":
        pieces = partial(html_pieces, address=request.build_absolute_uri(run.get_absolute_url()))
    return pieces(run)


def etag_of(run: Run, kind: str) -> str:
    """Return the tag of a run at rest: its turns stay as they are; its grade, facts and style may change."""
    facts = json_text([our_version(), policy(), kind, run.attempt, run_facts(run)])
    return f'"{hashlib.sha256(utf8(facts)).hexdigest()[:32]}"'
