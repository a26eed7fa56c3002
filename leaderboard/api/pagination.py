"""Lists in pages: by number where they are short, by cursor where they grow while they are read."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request

from leaderboard.api.errors import wrong
from leaderboard.api.parameters import whole_number

MOST_PAGES = 10**9
MOST_DIGITS = 18  # of a place in a list: what fits into 64 bits


class Strict:
    """Refuses a size that the framework would put aside without a word."""

    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get(self.page_size_query_param)
        size: int = self.page_size  # type: ignore[attr-defined]
        most: int = self.max_page_size  # type: ignore[attr-defined]
        return size if text is None else whole_number(self.page_size_query_param, text, most)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)  # type: ignore[misc]
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {
                    "minimum": 1,
                    "maximum": self.max_page_size,  # type: ignore[attr-defined]
                    "default": self.page_size,  # type: ignore[attr-defined]
                }
            if parameter["name"] == "page":
                parameter["schema"] |= {"minimum": 1, "maximum": MOST_PAGES}
        return parameters


class NumberedPages(Strict, PageNumberPagination):
    page_size = 100
    max_page_size = 1000
    parameters = ("page", "page_size")
    last_page_strings = ()
    invalid_page_message = "There is no page {page_number}: the list is shorter."

    def get_page_number(self, request: Request, paginator: Any) -> int:
        return whole_number("page", request.query_params.get("page", "1"), MOST_PAGES)


class CursorPages(Strict, CursorPagination):
    page_size = 100
    max_page_size = 500
    parameters = ("cursor", "page_size")
    ordering = "id"

    def decode_cursor(self, request: Request) -> Any:
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            cursor = None
        if "cursor" in request.query_params and not usable(cursor):
            raise wrong("cursor", "this is none; take it from `next` or `previous` of a page.")
        return cursor


class TurnPages(CursorPages):
    page_size = 20
    max_page_size = 100
    ordering = "number"


def usable(cursor: Any) -> bool:
    """Tell whether a decoded cursor stands at a number: the framework asks the database with any text."""
    if cursor is None:
        return False
    position = cursor.position
    return position is None or (position.isascii() and position.isdigit() and len(position) <= MOST_DIGITS)
