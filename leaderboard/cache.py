"""Whole pages kept in memory, under a key made of the data they show."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from threading import Lock

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers

from evals.models import BoardVersion

View = Callable[..., HttpResponse]

# One page is made at a time in a process: ten visitors after a new grade pay for one page, not for ten.
making = Lock()


@dataclass(frozen=True)
class Page:
    """An answer as it goes out, but for the headers that each request gets of its own."""

    body: bytes
    compressed: bytes
    content_type: str
    disposition: str  # empty: shown by the browser
    etag: str


def kept_while_unchanged(view: View, fresh_for_s: int | None = None) -> View:
    """Answer visitors from memory until the data change: one query, and no work but sending.

    The key holds the counts of changes that the database's triggers keep (see `evals.triggers`), so that
    nothing has to be told when a grade comes in. Who is signed in gets a page of their own, made anew.
    A page stands for at most `fresh_for_s`.
    """

    @wraps(view)
    def keeping(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        key = key_of(request, fresh_for_s)
        page = caches["pages"].get(key)
        if page is None:
            with making:
                page = caches["pages"].get(key) or made(request, key, view(request, *args, **kwargs))
        return page if isinstance(page, HttpResponse) else answer(request, page)

    return keeping


def kept_for_a_minute(view: View) -> View:
    """Keep a page that says how long ago something was."""
    return kept_while_unchanged(view, fresh_for_s=60)


def made(request: HttpRequest, key: str, response: HttpResponse) -> Page | HttpResponse:
    """Return the page, kept; what is no whole page, as a redirect or an error, is passed on."""
    if response.status_code != 200 or response.streaming:
        return response
    page = Page(
        body=response.content,
        compressed=gzip.compress(response.content, compresslevel=6, mtime=0),
        content_type=response.headers["Content-Type"],
        disposition=response.headers.get("Content-Disposition", ""),
        etag=f'W/"{hashlib.sha256(response.content).hexdigest()[:32]}"',
    )
    caches["pages"].set(key, page)
    return page


def answer(request: HttpRequest, page: Page) -> HttpResponse:
    compress = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(page.compressed if compress else page.body, content_type=page.content_type)
    if compress:
        response.headers["Content-Encoding"] = "gzip"
    if page.disposition:
        response.headers["Content-Disposition"] = page.disposition
    response.headers["ETag"] = page.etag
    response.headers["Cache-Control"] = "no-cache"  # Kept by browsers too, but asked for each time.
    patch_vary_headers(response, ("Accept-Encoding", "Cookie", "HX-Request"))
    unchanged = get_conditional_response(request, etag=page.etag, response=response)
    return unchanged if isinstance(unchanged, HttpResponse) else response


def key_of(request: HttpRequest, fresh_for_s: int | None) -> str:
    """Return the key of a page: its address, how it is asked for, and the counts of all boards' changes.

    All boards', not its own alone: tabs and lists show something of each.
    """
    versions = BoardVersion.objects.order_by("benchmark_id").values_list("benchmark_id", "number")
    period = None if fresh_for_s is None else int(time.time() // fresh_for_s)
    parts = (
        request.path,
        request.META["QUERY_STRING"],
        "HX-Request" in request.headers,
        list(versions),
        period,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
