"""What all views of the API share: they only read, take their parameters at their word, and carry an ETag."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from leaderboard.api.errors import wrong
from leaderboard.api.parameters import refuse_odd_parameters

METHODS = ("GET", "HEAD", "OPTIONS")


class ByFormat(DefaultContentNegotiation):
    """`?format=` decides alone; without it the Accept header does."""

    def filter_renderers(self, renderers: list[Any], format: str) -> list[Any]:
        if found := [renderer for renderer in renderers if renderer.format == format]:
            return found
        raise wrong("format", f"use {', '.join(renderer.format for renderer in renderers)}.")

    def get_accept_list(self, request: Request) -> list[str]:
        if self.settings.URL_FORMAT_OVERRIDE in request.query_params:
            return ["*/*"]
        return list(super().get_accept_list(request))


class Reading:
    """Mixed into a view of the REST framework, before its base."""

    http_method_names = [method.lower() for method in METHODS]
    content_negotiation_class = ByFormat
    parameters: tuple[str, ...] = ()  # that are neither filters nor of the pages

    @method_decorator(conditional_page)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # First: a visitor who may not write learns that nobody can, and not that a parameter is odd.
        if request.method not in METHODS:
            raise MethodNotAllowed(request.method)
        if request.method != "OPTIONS":
            refuse_odd_parameters(request.query_params, self.known_parameters())
        super().initial(request, *args, **kwargs)  # type: ignore[misc]

    def known_parameters(self) -> frozenset[str]:
        """Return the names this address reads: the same that the schema lists."""
        names = set(self.parameters)
        if len(self.renderer_classes) > 1:  # type: ignore[attr-defined]
            names.add("format")
        if getattr(self, "action", "list") == "list":
            names |= set(getattr(getattr(self, "filterset_class", None), "base_filters", ()))
            names |= set(getattr(getattr(self, "pagination_class", None), "parameters", ()))
        return frozenset(names)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        # A problem, and what OPTIONS tells, are JSON, whatever format the answer would have had.
        if response.exception or request.method == "OPTIONS":
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), "application/json"
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        patch_cache_control(response, private=True, no_cache=True)
        return response
